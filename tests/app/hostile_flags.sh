#!/usr/bin/env bash
# Flags that make no sense: code 2 and a message that names them, before anything is painted.
. "$(dirname "$0")/expect.sh"

refused() { expect_refusal 2 "$1" "${paint[@]}" -o out/a.png "${@:2}"; }

# ---- names ----
refused "unknown flag '--sytle-weight'; did you mean '--style-weight'?" --sytle-weight 3
refused "unknown flag '--sytle-weight'; did you mean '--style-weight'?" --sytle-weight=3
refused "unknown flag '--zzz'" --zzz
refused "unknown flag '-z'" -z
refused "See 'limn paint --help'" --zzz
refused "--size: given more than once" --size 20 --size 30
refused "--bits" --bits 8 --bits 16
# A slip in a flag that is needed is told as the slip, not as the flag's absence.
expect_refusal 2 "'--ouptut'; did you mean '--output'?" "${paint[@]}" --ouptut out/a.png
cp photo.png ./-w.png
expect_refusal 2 "'-w.png'" limn paint -w.png painting.png "${weights[@]}" -o out/a.png
expect_refusal 2 "PHOTO" limn paint
expect_refusal 2 "PAINTING" limn paint photo.png "${weights[@]}" -o out/a.png
expect_refusal 2 "--weights FILE" limn paint photo.png painting.png --recipe tiny.toml -o out/a.png
expect_refusal 2 "'limn model fetch vgg19'" \
  limn paint photo.png painting.png --recipe tiny.toml -o out/a.png  # how to get them

# ---- flags without their value ----
for flag in --weights --size --style-layers --report --save-every --bits; do
  refused "$flag" $flag
done
refused "--size" --size=

# ---- whole numbers ----
for value in abc 48.0 "" " 48" 0x30; do
  refused "--size: '$value' is not a whole number" --size "$value"
done
refused "--size: '1e3' is not a size; give pixels, 512, or a print" --size 1e3
refused "--size: is -1, but should be 0 to 100000" --size -1
refused "--size: is 99999999, but should be 0 to 100000" --size 99999999
refused "--iterations: is -1, but should be 0 to 1000000" --iterations -1
refused "--iterations: '1.5' is not a whole number" --iterations 1.5
refused "--threads: is -2, but should be 0 to 1024" --threads -2
refused "--threads: is 100000, but should be 0 to 1024" --threads 100000
refused "--seed: '-2'" --seed -2
refused "--size: 99999999999999999999 is too large" --size 99999999999999999999
refused "--seed: 99999999999999999999 is too large" --seed 99999999999999999999
refused "--history: is 0, but should be 1 to 1000" --history 0

# ---- numbers ----
for value in nan -nan inf -1 -inf 1e400; do refused "--content-weight" --content-weight $value; done
for value in "" x 1,5 0x10 "1 2" 1e; do
  refused "--style-weight: '$value' is not a number" --style-weight "$value"
done
refused "--learning-rate: is -1, but should be" --learning-rate=-1
refused "--beta1: is 1, but should be 0 to 0.999999" --beta1 1
refused "--decay-rate: is 2, but should be" --decay-rate 2

# ---- names of values ----
refused "--pooling: 'median' is not one of 'max', 'average'" --pooling median
refused "--style-form: '' is not one of 'mean', 'paper', 'paper-times-4', 'image'" --style-form ""
refused "--optimiser: 'LBFGS' is not one of 'lbfgs', 'adam', 'rmsprop', 'sgd'" --optimiser LBFGS
refused "--clip: 'yes' is neither 'true' nor 'false'" --clip yes
refused "resnet" --network resnet
refused "'vgg19.safetensors' are for vgg19; choose other weights, or use --network vgg19" \
  --network vgg16

# ---- layers ----
refused "vgg19 has no layer 'relu9_9'" --style-layers relu9_9
refused "vgg19 has no layer 'Relu1_1'; did you mean 'relu1_1'?" --content-layers Relu1_1
refused "--style-layers" --style-layers ""
refused "--style-layers: ',' names no layer" --style-layers ,
refused "--style-layers: ':1' names no layer" --style-layers :1
refused "--style-layers: '' is not a number" --style-layers relu1_1:
refused "--style-layers: 'x' is not a number" --style-layers relu1_1:x
refused "--style-layers.relu1_1: is -1, but should be at least 0" --style-layers relu1_1:-1
refused "'vgg19.safetensors' end before conv2_1 of vgg19" --style-layers relu4_1
refused "--style-layers" --style-layers "$(head -c 100000 /dev/zero | tr '\0' ,)"

# ---- sizes too small for the layers ----
refused "1 x 1 pixels, but layer pool1 of vgg19 needs at least 2 x 2; choose a larger --size" \
  --size 1 --style-layers pool1

# ---- nothing to minimise ----
refused "nothing to minimise" --content-weight 0 --style-weight 0
refused "nothing to minimise" --content-weight 0 --style-layers relu1_1:0

# ---- how a picture is written ----
refused "--bits: is 12, but should be 8 or 16" --bits 12
refused "--bits" --bits abc
refused "--quality: is 0, but should be 1 to 100" --quality 0
refused "--quality: is 101, but should be 1 to 100" --quality 101
refused "--quality" --quality x
refused "--look-every: is 0, but should be 1 to" --look-every 0
refused "--save-every" --save-every -3
refused "--save-every" --save-every x
refused "--quiet" --quiet=banana
