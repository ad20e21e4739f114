"""What the developers' tools share. Each is stated here once:

  needs           looks for modules and files that a machine may lack; then a tool is skipped
  command         command lines: help, files, errors told in a sentence
  vgg             VGG-16, VGG-19 and networks of their shape in PyTorch; reads every weights file
  weight_writers  writes weights files as the published programs do
  equations       limn's objective in PyTorch
  errors          how far numbers are apart
  painter         runs limn's programs, and keeps what they painted
  pairs           which photos are painted in the manner of which paintings
  images, sheet   pictures as files and arrays; many of them on one sheet
  page, chart     Markdown between two marks of a page; line charts as SVG
  trying          for the tools' own tests
"""
