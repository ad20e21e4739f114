#!/usr/bin/env bash
# limn sweep: one setting varied over a list or a range.
. "$(dirname "$0")/expect.sh"

sweep=(limn sweep photo.png painting.png "${weights[@]}")
common=("${paint[@]}" --quiet)

# ---- what it makes: a sheet, an animation, a table ----
expect_exit 0 "${sweep[@]}" --vary style.weight=0.0001,0.001,0.01 -o out/a.png \
  --animation out/a.webp --report out/a.json
expect_in_folder out "a.json a.png a.webp"
# Three rows of two cells, 160 pixels wide, with 13 between and around.
expect_picture out/a.png "359 x 277 opaque"
expect_picture out/a.webp "186 x 101 opaque"
for number in 1 2 3; do
  expect_message "painting $number of 3, 48 x 36 pixels: style.weight 0.0"
done
expect_message "painting 3/3, iteration 2/2: loss "
expect_message "out/a.png: 3 of 3 paintings, "
expect_equal "" "$(< stdout)"

expect_json out/a.json 'list(r) == ["limn", "instruction_set", "photo", "paintings",
  "output", "weights", "network", "vary", "recipe", "seconds", "peak_memory_bytes", "painted"]'
expect_json out/a.json 'r["vary"] == "style.weight" and r["output"] == "out/a.png"'
expect_json out/a.json '"weight" not in r["recipe"]["style"] and r["recipe"]["name"] == "tiny"'
expect_json out/a.json 'settings(r)["content.weight"] == 1 and settings(r)["picture.size"] == 48'
expect_json out/a.json '[p["value"] for p in r["painted"]] == [0.0001, 0.001, 0.01]'
expect_json out/a.json 'all(list(p) == ["value", "outcome", "width", "height", "iterations",
  "iteration", "seconds", "losses", "unweighted"] for p in r["painted"])'
expect_json out/a.json 'all((p["outcome"], p["width"], p["height"], p["iterations"]) ==
  ("finished", 48, 36, 2) for p in r["painted"])'
expect_json out/a.json 'all(
  math.isclose(p["losses"]["style"], p["value"] * p["unweighted"]["style"])
  and p["losses"]["content"] == p["unweighted"]["content"] for p in r["painted"])'
expect_json out/a.json 'all(p["unweighted"]["total_variation"] is None for p in r["painted"])'
# More weight on style makes less of it.
expect_json out/a.json 'r["painted"][0]["unweighted"]["style"] >
  r["painted"][2]["unweighted"]["style"]'

# ---- each painting is that of limn paint ----
for i in 0 1 2; do
  value=$(json out/a.json "r['painted'][$i]['value']")
  expect_exit 0 "${common[@]}" -o out/b.png --report out/b.json --style-weight "$value"
  expect_json out/b.json "r['history'][r['iteration']]['total'] ==
    load('out/a.json')['painted'][$i]['losses']['total']"
done
rm out/*

# ---- values: json tells which ones were painted ----
# expect_values LIST VARY...
expect_values() {
  expect_exit 0 "${sweep[@]}" --quiet --iterations 0 -o out/v.png --report out/v.json "${@:2}"
  expect_json out/v.json "[p['value'] for p in r['painted']] == $1"
}
expect_values "[0.1, 0.3162, 1, 3.162, 10]" --vary style.weight=0.1..10x5
expect_values "[10, 1, 0.1]" --vary style.weight=10..0.1x3
expect_values "[0, 0.25, 0.5, 0.75, 1]" --vary picture.noise_share=0..1+5
expect_values "[0.5, 2]" --vary style.weight=0.5..2x2
expect_values "[1e-7, 1e-6, 1e-5]" --vary style.weight=1e-7..1e-5x3
expect_values "[16, 23, 32]" --vary picture.size=16..32x3
expect_values "[16, 24, 32]" --vary size=16..32+3
expect_values "[0.001]" --vary style-weight=0.001
expect_values "[0.001, 0.002]" --vary --style-weight=0.001,0.002
expect_values "[0.001, 0.002]" --vary "style.weight=0.001;0.002"
expect_values "['max', 'average']" --vary pooling=max,average
expect_values "[False, True]" --vary optimiser.clip=false,true
expect_values "['content', 'noise', './photo.png']" --vary init=content,noise,./photo.png
expect_values "[{'relu1_1': 1}, {'relu1_1': 1, 'relu1_2': 0.5}]" \
  --vary "content.layers=relu1_1;relu1_1,relu1_2:0.5"
expect_values "[0, 1, 2]" --vary seed=0..2+3 --init noise
expect_values "[[0.5], [1], [2]]" --vary style-scale=0.5..2x3
expect_values "[[0.5], [2]]" --vary style.scale=0.5,2
expect_values "[[1], [1, 2]]" --vary "style.shifts=1;1,2"
expect_values "[0, 0.5, 1]" --vary strength=0..1+3 --balance measured
rm out/*

# ---- other formats, and sizes that differ ----
expect_exit 0 "${sweep[@]}" --vary picture.size=10..200x4 -o out/a.jpg --animation out/a.gif
expect_picture out/a.gif "opaque"
expect_picture out/a.jpg "opaque"
expect_exit 0 limn sweep glass.png painting.png "${weights[@]}" --vary seed=1,2 -o out/b.png
expect_picture out/b.png "opaque"
rm out/*

# ---- several paintings, masks ----
expect_exit 0 limn sweep photo.png red.png blue.png "${weights[@]}" --mask-keep left.png \
  --vary "blend=1,0;0.5,0.5" -o out/a.png --report out/a.json
expect_json out/a.json 'r["paintings"] == ["red.png", "blue.png"]'
expect_json out/a.json 'r["masks"] == {"keep": "left.png"}'
expect_json out/a.json '[p["value"] for p in r["painted"]] == [[1, 0], [0.5, 0.5]]'
rm out/*

# ---- losses whose weights were measured have no known weight ----
expect_exit 0 "${sweep[@]}" --vary strength=0.2,0.8 --balance measured -o out/a.png \
  --report out/a.json
expect_json out/a.json 'all(p["unweighted"] is None and p["losses"]["style"] > 0
  for p in r["painted"])'
rm out/*

# ---- a value of which nothing can be painted costs no other ----
expect_exit 0 "${sweep[@]}" --vary style.weight=0.001,1e308 -o out/a.png --report out/a.json
expect_message "style.weight 1e308: the loss of the first picture is not finite"
expect_json out/a.json '[p["outcome"] for p in r["painted"]] == ["finished", "failed"]'
expect_json out/a.json 'r["painted"][1]["losses"] is None'
rm out/*
expect_exit 2 "${sweep[@]}" --quiet --vary style.weight=1e307,1e308 -o out/a.png
expect_message "choose smaller weights"
expect_in_folder out ""

# ---- refused before anything is painted ----
refused() { expect_refusal 2 "$1" "${sweep[@]}" -o out/a.png "${@:2}"; }
refused "--vary"  # it is missing
refused "--vary: 'style.weight' should be KEY=VALUES" --vary style.weight
refused "unknown key 'style.wieght'; did you mean 'style.weight'?" --vary style.wieght=1,2
refused "unknown key 'tv-wieght'; did you mean 'tv-weight'?" --vary tv-wieght=1,2
refused "unknown key ''" --vary =1,2
refused "--vary: name has no effect" --vary name=a,b
refused "--vary: output.save_every has no effect" --vary save-every=1,2
refused "--save-every: a sweep does not save intermediate" --vary style.weight=1,2 --save-every 5
refused "--vary: style.weight is also given as a flag" --vary style.weight=1,2 --style-weight 3
refused "--vary: makes no difference to recipe 'tiny', which uses fixed weights" \
  --vary strength=0.2,0.8
refused "--vary: given more than once" --vary style.weight=1,2 --vary seed=1,2
refused "--vary style.weight: '' is not a number" --vary style.weight=
refused "--vary style.weight: '' is not a number" --vary style.weight=1,
refused "--vary style.weight: 'x' is not a number" --vary style.weight=1,x
refused "--vary style.weight: is -1, but should be at least 0" --vary style.weight=-1..1+3
refused "--vary picture.size: is 200000, but should be" --vary picture.size=16..200000x3
refused "does not end with the number of values" --vary style.weight=0.1..10
refused "does not end with the number of values" --vary style.weight=0.1..10x
refused "does not end with the number of values" --vary style.weight=0.1..10xfive
refused "'1e' is not a number" --vary style.weight=0..1e+5
refused "has 1 values, but a range has 2 to 64" --vary style.weight=0.1..10x1
refused "has 1000000 values" --vary style.weight=0.1..10x1000000
refused "use 0..10+4 for equal steps" --vary style.weight=0..10x4
refused "the value 1 appears twice" --vary optimiser.iterations=1..4x9
refused "the value 1.0 appears twice" --vary style.weight=1,2,1.0
refused "has 65 values, but at most 64 are allowed" --vary "seed=$(seq -s, 65)"
refused "'median' is not one of 'max', 'average'" --vary pooling=max,median
refused "relu9_9" --vary "content.layers=relu1_1;relu9_9"
refused "'vgg19.safetensors' end before conv2_1" --vary "content.layers=relu1_1;relu4_1"
refused "needs at least 2 x 2" --vary size=32,1 --style-layers pool1
refused "nothing to minimise" --vary style.weight=1,0 --content-weight 0
expect_refusal 3 "'missing.png'" "${sweep[@]}" -o out/a.png --vary init=content,missing.png

vary=(--vary style.weight=0.001,0.01)
expect_refusal 2 "is not a known extension" "${sweep[@]}" "${vary[@]}" -o out/a.xyz
expect_refusal 2 "'out/b.png': an animation's name must end in .webp or .gif" \
  "${sweep[@]}" "${vary[@]}" -o out/a.png --animation out/b.png
expect_refusal 3 "there is no folder 'nowhere'" "${sweep[@]}" "${vary[@]}" -o nowhere/a.png
expect_refusal 3 "there is no folder 'nowhere'" "${sweep[@]}" "${vary[@]}" -o out/a.png \
  --animation nowhere/a.gif
expect_refusal 3 "there is no folder 'nowhere'" "${sweep[@]}" "${vary[@]}" -o out/a.png \
  --report nowhere/a.json
expect_refusal 2 "--output: './photo.png' would replace the photo" "${sweep[@]}" "${vary[@]}" \
  -o ./photo.png
expect_refusal 2 "--animation: 'out/a.webp' would replace the sheet" "${sweep[@]}" "${vary[@]}" \
  -o out/a.webp --animation out/a.webp
expect_refusal 2 "--report: 'out/a.gif' would replace the animation" "${sweep[@]}" "${vary[@]}" \
  -o out/a.png --animation out/a.gif --report out/a.gif
expect_refusal 2 "--bits" "${sweep[@]}" "${vary[@]}" -o out/a.png --bits 12

# ---- Ctrl-C: the sheet of what there is ----
: > stderr
set -m  # else bash starts it with SIGINT ignored
"${sweep[@]}" --optimiser adam --vary iterations=2,1000000,3 -o out/a.png --animation out/a.gif \
  --report out/a.json > stdout 2> stderr &
set +m
process=$!
for ((tenths = 0; tenths < 200; ++tenths)); do
  ! grep -q "^painting 2/3, iteration 0/" stderr || break
  sleep 0.1
done
command_run="limn sweep, while it paints the second of three"
expect_picture out/a.png "opaque"  # the first is there already
expect_json out/a.json 'len(r["painted"]) == 1'
sleep 0.3
kill -INT $process
exit_code=0
wait $process || exit_code=$?
expect_equal 130 "$exit_code"
expect_in_folder out "a.gif a.json a.png"
expect_json out/a.json '[p["outcome"] for p in r["painted"]] == ["finished", "stopped"]'
expect_json out/a.json '0 < r["painted"][1]["iterations"] < 1000000'
expect_message "out/a.png: 2 of 3 paintings"
