#!/usr/bin/env bash
# limn model info, convert, list; and weights by name.
. "$(dirname "$0")/expect.sh"

# ---- info ----
expect_exit 0 limn model info vgg19.safetensors
expect_equal "" "$(< stderr)"
expect_output "format      .safetensors"
expect_output "network     vgg19, 2 of its 16 convolutions"
expect_output "input       BGR in 0..255, minus (103.939, 116.779, 123.68) (caffe"
expect_output "SHA-256     $(sha256sum vgg19.safetensors | cut -d ' ' -f 1)"
expect_output "published   unknown"
expect_output "conv1_1     64 x 3 x 3 x 3               1,792"
expect_output "conv1_2     64 x 64 x 3 x 3             36,928"
expect_output "38,720"
expect_exit 0 limn model info vgg16.safetensors --json
cp stdout info.json
expect_json info.json 'r["network"] == "vgg16" and not r["complete"] and r["published"] is None'
expect_json info.json "r['bytes'] == $(stat -Lc %s vgg16.safetensors)"
expect_json info.json 'r["input"]["name"] == "caffe" and r["input"]["channel_order"] == "bgr"'
expect_json info.json 'r["input"]["mean"] == [103.939, 116.779, 123.68]'
expect_json info.json '[c["layer"] for c in r["convolutions"]] == ["conv1_1", "conv1_2"]'
expect_json info.json 'r["convolutions"][1]["shape"] == [64, 64, 3, 3]'
expect_json info.json 'r["parameters"] == 38720'
expect_exit 0 limn model info vgg19.h5
expect_output "format      Keras .h5"
expect_output "38,720"
expect_refusal 3 "'nan.safetensors'" limn model info nan.safetensors
expect_refusal 3 "there is no weights file 'missing.h5'" limn model info missing.h5
expect_refusal 3 "'photo.png' is a PNG picture" limn model info photo.png
expect_refusal 2 "WEIGHTS" limn model info

# ---- convert ----
expect_exit 0 limn model convert vgg16.safetensors -o out/a.safetensors
expect_equal "" "$(< stdout)"
expect_message "out/a.safetensors: vgg16, 2 convolutions, 0.2 MB"
expect_same vgg16.safetensors out/a.safetensors
expect_exit 0 limn model convert vgg19.h5 -o out/h5.safetensors
expect_same vgg19.safetensors out/h5.safetensors
rm out/h5.safetensors
expect_exit 0 limn model convert vgg19.safetensors -o out/half.safetensors --half
half_bytes=$(stat -c %s out/half.safetensors)
((half_bytes < 38720 * 2 + 2000)) || complain "two bytes for each value" "$half_bytes"
# Rounded once, they are halves: rounding them again changes nothing.
expect_exit 0 limn model convert out/half.safetensors -o out/back.safetensors
expect_different out/back.safetensors vgg19.safetensors
expect_exit 0 limn model convert out/back.safetensors -o out/again.safetensors --half
expect_same out/half.safetensors out/again.safetensors
expect_exit 0 limn model info out/half.safetensors
expect_output "network     vgg19, 2 of its 16 convolutions"
expect_output "input       BGR in 0..255, minus (103.939, 116.779, 123.68) (caffe"
# A painting with them is about the same.
expect_exit 0 limn evaluate photo.png painting.png painting.png "${weights[@]}" --json
cp stdout single.json
expect_exit 0 limn evaluate photo.png painting.png painting.png --recipe tiny.toml \
  --weights out/half.safetensors --json
cp stdout half.json
expect_json half.json '0 < abs(r["total"] / load("single.json")["total"] - 1) < 1e-2'
expect_in_folder out "a.safetensors again.safetensors back.safetensors half.safetensors"
rm out/*

# ---- another convention, said once and for all ----
for name in caffe caffe-rounded matconvnet torchvision; do
  expect_exit 0 limn model convert vgg19.safetensors -o out/$name.safetensors \
    --weights-convention $name
  expect_exit 0 limn model info out/$name.safetensors --json
  cp stdout info.json
  expect_json info.json "r['input']['name'] == '$name'"
done
expect_same out/caffe.safetensors vgg19.safetensors
expect_exit 0 limn model convert out/torchvision.safetensors -o out/file.safetensors \
  --weights-convention file
expect_same out/file.safetensors out/torchvision.safetensors
expect_exit 0 limn model info out/torchvision.safetensors
expect_output "RGB in 0..1, minus (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225) (torchvision"
rm out/*
expect_refusal 2 "'cafe' is not one of file, caffe, caffe-rounded, matconvnet, torchvision; did you" \
  limn model convert vgg19.safetensors -o out/a.safetensors --weights-convention cafe

# ---- an old file is replaced whole, or kept ----
cp vgg19.safetensors own.safetensors
echo "an old file" > old.safetensors
expect_refusal 3 "layer conv1_2 of 'huge.safetensors' has the value" \
  limn model convert huge.safetensors -o old.safetensors --half
expect_refusal 3 "nan.safetensors" limn model convert nan.safetensors -o old.safetensors
expect_equal "an old file" "$(< old.safetensors)"
expect_exit 0 limn model convert own.safetensors -o old.safetensors
expect_same own.safetensors old.safetensors

# ---- places that it is not written to ----
ln -s own.safetensors link.safetensors
for same in own.safetensors ./out/../own.safetensors "$PWD/own.safetensors" link.safetensors; do
  expect_refusal 2 "would replace the weights" limn model convert own.safetensors -o "$same"
done
expect_same own.safetensors vgg19.safetensors
expect_refusal 2 "'out/a.h5' should end in .safetensors" \
  limn model convert own.safetensors -o out/a.h5
expect_refusal 3 "there is no folder 'nowhere'" \
  limn model convert own.safetensors -o nowhere/a.safetensors
expect_refusal 2 "--output" limn model convert own.safetensors
if [[ -e /dev/full ]]; then
  ln -s /dev/full full.safetensors
  expect_refusal 3 "'full.safetensors'" limn model convert own.safetensors -o full.safetensors
fi

# ---- the cache, and weights by name ----
models=$XDG_CACHE_HOME/limn/models
expect_exit 0 limn model list
expect_output "not fetched; run 'limn model fetch vgg19'"
expect_output "Weights in $models:"
expect_output "  none"
expect_refusal 2 "run 'limn model fetch vgg19', or use --weights FILE" \
  limn paint photo.png painting.png --recipe tiny.toml -o out/a.png
expect_refusal 2 "'limn model fetch vgg16'" \
  limn paint photo.png painting.png --recipe tiny.toml --network vgg16 -o out/a.png
expect_refusal 3 "run 'limn model fetch vgg19'" \
  limn paint photo.png painting.png --recipe tiny.toml --weights vgg19 -o out/a.png
expect_refusal 3 "run 'limn model fetch vgg16'" limn model info vgg16
expect_no_file "$XDG_CACHE_HOME"  # looking makes no folders

mkdir -p "$models"
cp vgg19.safetensors "$models/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
cp vgg16.safetensors "$models/vgg16.safetensors"
echo "no weights" > "$models/notes.txt"
head -c 1000 vgg19.safetensors > "$models/vgg16.safetensors.part"
expect_exit 0 limn model list
expect_output "  vgg16.safetensors: vgg16, 2 convolutions, .safetensors, 0.2 MB"
expect_output "        $models/vgg16.safetensors"
expect_output "        $models/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
expect_exit 0 limn model list --json
cp stdout list.json
expect_json list.json '[p["name"] for p in r["published"]] == ["vgg19", "vgg16"]'
expect_json list.json 'all(p["url"].startswith("https://") for p in r["published"])'
expect_json list.json "r['published'][1]['cached'] == '$models/vgg16.safetensors'"
expect_json list.json '[f["network"] for f in r["files"]] == ["vgg16", "vgg19"]'
expect_json list.json "r['folder'] == '$models'"
expect_exit 0 limn model info vgg16
expect_output "file        $models/vgg16.safetensors"
expect_exit 0 limn model convert vgg16 -o out/b.safetensors
expect_same vgg16.safetensors out/b.safetensors

expect_exit 0 "${paint[@]}" -o out/file.png
expect_exit 0 limn paint photo.png painting.png --recipe tiny.toml -o out/network.png \
  --report out/report.json
expect_same out/file.png out/network.png
expect_json out/report.json \
  "r['weights'] == '$models/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5'"
expect_exit 0 limn paint photo.png painting.png --recipe tiny.toml --weights vgg19 -o out/name.png
expect_same out/file.png out/name.png
expect_exit 0 limn paint photo.png painting.png --recipe tiny.toml --network vgg16 -o out/16.png
expect_same out/file.png out/16.png  # the same convolutions
expect_exit 0 limn evaluate photo.png painting.png out/16.png --recipe tiny.toml --json
cp "$models/vgg16.safetensors" "$models/kept" && rm out/*
expect_refusal 2 "would replace the weights" limn paint photo.png painting.png --recipe tiny.toml \
  --network vgg16 -o out/a.png --report "$models/vgg16.safetensors"
expect_same "$models/vgg16.safetensors" "$models/kept"

# A file of the network's name goes before the published one, and a file in the folder before both.
cp nan.safetensors "$models/vgg19.safetensors"
expect_refusal 3 "$models/vgg19.safetensors" limn model info vgg19
rm "$models/vgg19.safetensors"
cp nan.safetensors vgg19
expect_refusal 3 "'vgg19': layer" limn model info vgg19
rm vgg19 && mkdir vgg19
expect_exit 0 limn model info vgg19

# ---- where the cache is ----
fixed_home=$PWD/home
mkdir -p "$fixed_home/.cache/limn" && mv "$models" "$fixed_home/.cache/limn/models"
expect_exit 0 env HOME="$fixed_home" XDG_CACHE_HOME= limn model info vgg16
expect_exit 0 env HOME="$fixed_home" XDG_CACHE_HOME=relative limn model info vgg16
expect_exit 0 env -u XDG_CACHE_HOME HOME="$fixed_home" limn model info vgg16
expect_refusal 2 "neither XDG_CACHE_HOME nor HOME" env -u XDG_CACHE_HOME -u HOME limn model list
# Whoever names a file needs no cache.
expect_exit 0 env -u XDG_CACHE_HOME -u HOME "$(type -P limn)" model info vgg19.safetensors
