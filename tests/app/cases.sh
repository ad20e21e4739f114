#!/usr/bin/env bash
# What people reported of other programs, one case after the other, with the pictures that
# ../shared/cases makes. (The other tests of this folder have each of them by itself.)
. "$(dirname "$0")/expect.sh"
maker=${LIMN_SHARED:-}/cases/make_pictures.py
[[ -f $maker ]] || skip "there is no $maker"
python=/usr/bin/python3
$python -c 'import PIL, numpy' 2> trouble || skip "it needs python3-pil and python3-numpy"
mkdir cases
$python "$maker" cases
cd cases
mkdir out
built_in=(--size 96 --iterations 3 --threads 2)

# paints PHOTO PAINTING FLAGS...: to out/a.png.
paints() { expect_exit 0 limn paint "$@" "${built_in[@]}" -o out/a.png; }
# refuses CODE TEXT PHOTO PAINTING FLAGS...
refuses() {
  rm -rf out && mkdir out
  expect_refusal "$1" "$2" limn paint "${@:3}" "${built_in[@]}" -o out/a.png
}

# ---- pictures of every kind are painted ----
for photo in grey.jpg onebit.png grey16.png greyalpha.png cutout.png palette_trns.png \
  palette_trns.gif anim.gif anim.webp exif6.jpg cmyk.jpg cmyk.tif rgb16.png progressive.jpg \
  trailing.jpg jpeg_called.png float_linear.tif float_hdr.tif float_0_255.tif tiny32.png \
  pano3000x60.png tall60x3000.png odd850x756.png odd97x61.png; do
  paints $photo photo.jpg
  [[ $photo == *3000* ]] || paints photo.jpg $photo
done
paints photo.jpg pano3000x60.png --style-scale 8
for size in 850x756 850x272 97x61 255x81 140x60 60x140 127x127; do
  expect_exit 0 limn paint "odd$size.png" photo.jpg --size 0 --iterations 1 -o out/a.png
  expect_picture out/a.png "${size/x/ x }"
done
paints grey.jpg inkgrey.jpg
measure out/a.png none
expect_json measured.json 'r["inside"]["spread"] == 0'
paints photo.jpg anim.gif
expect_message "'anim.gif' has 6 frames; the first is used"
paints 'anim.gif[3]' photo.jpg
refuses 3 "6 frames" 'anim.gif[6]' photo.jpg

# ---- what cannot be seen does not count ----
paints photo.jpg round_oil.png
expect_message "'round_oil.png'"
expect_exit 0 limn paint photo.jpg round_oil.png --painting-size own --size 96 --iterations 3 \
  -o out/alpha.png
expect_exit 0 limn paint photo.jpg round_oil.png --painting-size own --size 96 --iterations 3 \
  --mask-style round_oil_mask.png -o out/mask.png
expect_same out/alpha.png out/mask.png
for transparent in cutout.png palette_trns.png palette_trns.gif; do
  paints $transparent photo.jpg
  expect_picture out/a.png "96 x 72 alpha"
done

# ---- floats ----
for float in linear hdr 0_255; do
  expect_exit 0 limn paint float_$float.tif photo.jpg --iterations 0 --init content -o out/$float.png
  [[ $float == linear ]] || expect_message "'float_$float.tif'"
done
expect_exit 0 limn paint photo.png photo.jpg --iterations 0 --init content -o out/photo.png
measure out/0_255.png none out/photo.png
expect_json measured.json 'r["inside"]["difference"] < 0.01'
measure out/linear.png none out/photo.png
expect_json measured.json 'r["inside"]["difference"] < 0.01'
measure out/hdr.png none out/photo.png
expect_json measured.json 'r["inside"]["difference"] < 0.1'
refuses 3 "'float_nan.tif'" float_nan.tif photo.jpg

# ---- narrow and small paintings ----
refuses 2 "'thin600x5.png' is used at 96 x 1 pixels" photo.jpg thin600x5.png
refuses 2 "style layer relu5_1" photo.jpg thin1x400.png
mkdir folder
cp thin600x5.png photo.jpg round_oil.png trunc.jpg text.jpg folder
paints photo.png folder
for left_out in thin600x5.png trunc.jpg text.jpg; do expect_message "'folder/$left_out'"; done
paints photo.jpg tiny8.png

# ---- damaged files, and files of other kinds ----
for damaged in trunc.jpg trunc20.jpg trunc.png trunc_progressive.jpg empty.jpg text.jpg html.jpg; do
  refuses 3 "'$damaged'" $damaged photo.jpg
  refuses 3 "'$damaged'" photo.jpg $damaged
done
refuses 4 "'huge30000x20000.png' is 30000 x 20000" huge30000x20000.png photo.jpg
expect_message "--max-pixels"

# ---- masks ----
paints photo.jpg round_oil.png --mask-content mask_left.jpg
refuses 3 "'mask_colours.png' has colours" photo.jpg round_oil.png --mask-content mask_colours.png
refuses 2 "black everywhere" photo.jpg round_oil.png --mask-content mask_black.png
refuses 2 "--mask-content: takes one mask" photo.jpg round_oil.png \
  --mask-content mask_left.png mask_left.jpg

# ---- nothing that was given is lost ----
cp photo.jpg out-0001.png
rm -rf out && mkdir out
expect_refusal 2 "'out-0001.png' would replace the photo" \
  limn paint out-0001.png round_oil.png "${built_in[@]}" -o out.png --save-every 1
expect_same photo.jpg out-0001.png

# ---- weights of any size paint ----
for weight in 1e-6 1e6 1e9; do
  expect_exit 0 limn paint photo.jpg round_oil.png "${built_in[@]}" --style-weight $weight \
    -o out/a.png --report out/a.json
  expect_json out/a.json 'r["iteration"] > 0'
done
