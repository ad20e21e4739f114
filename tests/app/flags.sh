#!/usr/bin/env bash
# Every flag of a recipe's settings does what it says: it changes its own setting and no other, and
# it changes the picture.
. "$(dirname "$0")/expect.sh"

# flag, another value (- where the flag takes none), and what must be given besides for that value
# to matter
flags="
--pooling         average                   --style-layers pool1
--weights-convention matconvnet
--content-weight  100
--content-layers  conv1_1:2,relu1_2:0.5
--content-form    sum
--style-weight    3
--style-layers    relu1_1:0.5,conv1_2:2
--style-gram      raw
--style-form      paper
--style-statistic mean-deviation
--style-shifts    1
--shifts-across   2
--shifts-down     2
--shift-unit      pixels                    --style-layers pool1 --style-shifts 2
--shift-weight    0.5                       --style-shifts 1
--style-symmetry  both
--style-scale     0.5
--style-every     1                         --style-statistic sliced --optimiser adam --learning-rate 0.02 --iterations 3
--balance         measured
--strength        0.9                       --balance measured
--tv-weight       0.5
--tv-form         absolute                  --tv-weight 0.5
--optimiser       adam
--iterations      3
--space           network
--smallest        24
--largest         100                       --smallest 24 --iterations 6
--detail          0.5
--fall            0.3                       --smallest 24 --iterations 6
--bands           0,2
--colors          content
--tileable        -
--symmetry        both
--border          6
--seconds         1000
--plateau         0.9999                    --iterations 60
--clip            true                      --optimiser adam --learning-rate 0.02 --init noise
--learning-rate   0.5
--neighbours-weight 1
--neighbours-layers conv1_1                 --neighbours-weight 1
--neighbours-every  2                       --neighbours-weight 1 --iterations 5
--neighbours-uses   0.1                     --neighbours-weight 1 --neighbours-every 1 --iterations 5
--neighbours-matching hypercolumns          --neighbours-weight 1 --neighbours-layers conv1_1,conv1_2
--neighbours-distance cosine                --neighbours-weight 1 --neighbours-layers conv1_1,conv1_2
--neighbours-samples 9                      --neighbours-weight 1 --neighbours-layers conv1_1
--neighbours-turned true                    --neighbours-weight 1 --neighbours-layers conv1_1
--neighbours-photo  0.5                     --neighbours-weight 1 --init noise
--transport-weight  1
--transport-layers  conv1_1                 --transport-weight 1
--transport-palette 0                       --transport-weight 1
--transport-every   1                       --transport-weight 1 --optimiser adam --learning-rate 0.02 --iterations 3
--structure-weight  1                       --structure-layers conv1_2 --init noise
--structure-layers  conv1_2                 --structure-weight 1 --init noise
--structure-every   1                       --structure-weight 1 --init noise --optimiser adam --learning-rate 0.02 --iterations 3
--history         1                         --iterations 5
--half-history    true                      --iterations 8
--restart-every   2                         --iterations 5
--line-search     strong-wolfe              --learning-rate 0.1
--curvature       local                     --iterations 12
--beta1           0.5                       --optimiser adam --learning-rate 0.02
--beta2           0.5                       --optimiser adam --learning-rate 0.02
--epsilon         0.1                       --optimiser adam --learning-rate 0.02
--epsilon-form    uncorrected               --optimiser adam --learning-rate 0.02 --epsilon 0.1
--decay-rate      0.5                       --optimiser sgd --learning-rate 0.001 --decay-steps 1
--decay-steps     2                         --optimiser sgd --learning-rate 0.001 --decay-rate 0.5
--size            32
--size-of         height                    --size 20
--painting-size   own                       --size 20
--init            noise
--noise           uniform                   --init noise
--noise-share     0.5                       --init noise
--seed            7                         --init noise
--threads         2
--no-pin          -
--keep            last                      --optimiser adam --learning-rate 0.02 --iterations 5
--look-every      2                         --optimiser adam --learning-rate 0.02 --iterations 5
--save-every      1
--save-name       time                      --save-every 2
--half-features   true                      --style-layers relu1_1,relu1_2 --content-layers conv1_2
"

tested=(--network --blend)
while read -r flag value besides; do
  [[ -n $flag ]] || continue
  tested+=("$flag")
  # shellcheck disable=SC2206
  command=("${paint[@]}" --bits 16 $besides)
  changed=("$flag")
  [[ $value == - ]] || changed+=("$value")
  expect_exit 0 "${command[@]}" -o out/without.png --report out/without.json
  expect_exit 0 "${command[@]}" -o out/with.png --report out/with.json "${changed[@]}"
  expect_json out/with.json \
    'sum(v != settings(load("out/without.json"))[k] for k, v in settings(r).items()) == 1'
  # A --largest below the picture's size is for recipes of several stages.
  case $flag in
  --threads | --no-pin | --save-* | --seconds | --largest)
    expect_same out/without.png out/with.png
    ;;
  *) expect_different out/without.png out/with.png ;;
  esac
done <<< "$flags"

# What --network names, the weights must be; the two files hold the same numbers.
vgg16=(limn paint photo.png painting.png --recipe tiny.toml --weights vgg16.safetensors)
expect_exit 0 "${vgg16[@]}" --network vgg16 -o out/vgg16.png --report out/vgg16.json
expect_json out/vgg16.json 'r["recipe"]["network"]["name"] == "vgg16" == r["network"]'
expect_exit 0 "${paint[@]}" -o out/vgg19.png
expect_same out/vgg19.png out/vgg16.png

# The help names these flags and no others: one for each setting that a report has.
expect_exit 0 limn paint --help
in_help=$(sed -n '/^Artistic controls/,/^Examples/s/^  \(--[a-z0-9-]*\).*/\1/p' stdout |
  grep -v -e '^--mask-' | sort)
expect_equal "$(printf '%s\n' "${tested[@]}" | sort)" "$in_help"
expect_json out/with.json "len(settings(r)) == ${#tested[@]}"
