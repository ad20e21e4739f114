#!/usr/bin/env bash
# What the desktop's menu and software centres read.   desktop.sh SOURCE BUILD
set -euo pipefail
source=$1 build=$2
checked=0

if command -v desktop-file-validate > /dev/null; then
  said=$(desktop-file-validate "$source/packaging/limn.desktop" 2>&1) || true
  [[ -z $said ]] || { echo "FAILED: $said"; exit 1; }
  checked=1
fi
if command -v appstreamcli > /dev/null; then
  appstreamcli validate --no-net "$build/limn.metainfo.xml"
  checked=1
fi
/usr/bin/python3 -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' \
  "$source/packaging/limn.svg"
((checked)) || { echo "skipped: neither desktop-file-validate nor appstreamcli is here"; exit 77; }
