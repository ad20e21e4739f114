#!/usr/bin/env bash
# Paints the example: demo.sh WEIGHTS PHOTO PAINTING SIZE OUTPUT. Called by `make demo`.
set -euo pipefail
weights=$1 photo=$2 painting=$3 size=$4 output=$5

if [ -z "$weights" ] || [ -z "$photo" ] || [ -z "$painting" ]; then
  cat >&2 <<'TEXT'
limn is built: build/limn. To paint, it needs three files that do not come with it yet: the trained
weights of VGG-19, a photo and a painting. Get the weights file
vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5 (80 MB; published with Keras), then

  make demo WEIGHTS=that.h5 PHOTO=photo.jpg PAINTING=painting.jpg
TEXT
  exit 1
fi
build/limn paint "$photo" "$painting" --weights "$weights" --size "$size" -o "$output"
echo "The picture is $PWD/$output"
