#!/usr/bin/env bash
# Paints the example: demo.sh PHOTO PAINTING OUTPUT [WEIGHTS]. Called by `make demo`.
set -euo pipefail
photo=$1 painting=$2 output=$3 weights=${4:-}

build/limn paint "$photo" "$painting" -o "$output" ${weights:+--weights "$weights"}
echo "The picture is $PWD/$output"
