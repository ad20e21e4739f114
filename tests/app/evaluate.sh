#!/usr/bin/env bash
# limn evaluate: the losses of a picture that is there.
. "$(dirname "$0")/expect.sh"

tv=(--tv-weight 0.25)
expect_exit 0 "${paint[@]}" "${tv[@]}" -o out/a.png --bits 16 --report out/a.json --iterations 5

# ---- as JSON and as text ----
expect_exit 0 "${evaluate[@]}" out/a.png "${weights[@]}" "${tv[@]}" --json
expect_equal "" "$(< stderr)"
cp stdout out/losses.json
expect_json out/losses.json 'list(r) == ["content", "style", "total_variation", "total",
  "gradient_norm", "width", "height"]'
expect_json out/losses.json 'r["total"] == r["content"] + r["style"] + r["total_variation"]'
expect_json out/losses.json 'min(r.values()) > 0'

expect_exit 0 "${evaluate[@]}" out/a.png "${weights[@]}" "${tv[@]}"
for key in content style total_variation total gradient_norm; do
  expect_output "$(printf '%-17s' "${key/_/ }")$(json out/losses.json "f'{r[\"$key\"]:.9g}'")"
done
expect_output "size             48 x 36"

# ---- the losses of the picture that was painted ----
# To the bit, where the picture is one that a file holds: the one begun with.
expect_exit 0 "${paint[@]}" "${tv[@]}" -o out/b.png --init out/a.png --iterations 0 --bits 16 \
  --report out/b.json
expect_exit 0 "${evaluate[@]}" out/b.png "${weights[@]}" "${tv[@]}" --json
cp stdout out/b_losses.json
expect_json out/b_losses.json 'all(r[term] == load("out/b.json")["history"][0][term]
  for term in ("content", "style", "total_variation", "total"))'

# To rounding else. A sample moves by half a step at most, and so the picture of 3 x 48 x 36 samples
# by at most `distance`. Its loss changes by at most that times the steepest gradient met: that
# in 8 bits or that in 16, and a tenth more.
expect_exit 0 "${paint[@]}" "${tv[@]}" -o out/a8.png --iterations 5
expect_exit 0 "${evaluate[@]}" out/a8.png "${weights[@]}" "${tv[@]}" --json
cp stdout out/losses8.json
best='load("out/a.json")["history"][load("out/a.json")["best_iteration"]]["total"]'
steepest="1.1 * max(r['gradient_norm'], load('out/losses.json')['gradient_norm'])"
for file_and_steps in "losses 65535" "losses8 255"; do
  read -r file steps <<< "$file_and_steps"
  distance="0.5 / $steps * math.sqrt(3 * 48 * 36)"
  expect_json "out/$file.json" "abs(r['total'] - $best) <= $steepest * $distance"
done

# ---- the size ----
expect_exit 0 limn paint photo.png painting.png "${weights[@]}" -o out/small.png --size 24
expect_exit 0 "${evaluate[@]}" out/small.png "${weights[@]}" --json
cp stdout out/small.json
expect_json out/small.json '(r["width"], r["height"]) == (24, 18)'
expect_exit 0 "${evaluate[@]}" out/small.png "${weights[@]}" --json --size 40
cp stdout out/small.json
expect_json out/small.json '(r["width"], r["height"]) == (40, 30)'
# A picture of another shape than the photo:
expect_exit 0 "${evaluate[@]}" painting.png "${weights[@]}" --json
cp stdout out/square.json
expect_json out/square.json '(r["width"], r["height"]) == (40, 40)'

# ---- no losses where there is no difference, but for rounding ----
expect_exit 0 limn evaluate photo.png photo.png photo.png "${weights[@]}" --json
cp stdout out/zero.json
expect_json out/zero.json 'r["content"] == 0'
expect_json out/zero.json 'r["style"] < 1e-12 * load("out/losses.json")["style"]'

# ---- a weight scales its loss ----
expect_exit 0 "${evaluate[@]}" out/a.png "${weights[@]}" "${tv[@]}" --json --style-weight 0.0002 \
  --content-weight 0
cp stdout out/twice.json
expect_json out/twice.json 'r["content"] == 0'
expect_json out/twice.json 'math.isclose(r["style"], 2 * load("out/losses.json")["style"],
  rel_tol=1e-12)'

# ---- what cannot be evaluated ----
rm -r out && mkdir out
refused() { expect_refusal "$1" "$2" "${evaluate[@]}" "${weights[@]}" "${@:3}"; }
refused 2 "PICTURE"
refused 3 "'missing.png'" missing.png
refused 3 "'tiny.toml'" tiny.toml
refused 2 "'--jsno'; did you mean '--json'?" photo.png --jsno
refused 2 "unknown flag '--output'" photo.png --output out/a.png
expect_refusal 2 "--weights FILE" "${evaluate[@]}" photo.png --network vgg19

# ---- one painting, and no masks ----
refused 2 "unexpected argument 'another.png'" photo.png another.png
refused 2 "unknown flag '--mask-content'" photo.png --mask-content left.png
mkdir album
expect_refusal 3 "'album' is a folder" limn evaluate photo.png album photo.png "${weights[@]}"

# ---- flags that could make no difference are none of this command's ----
for flag in --iterations --seed --keep --learning-rate --seconds --smallest --blend; do
  expect_refusal 2 "$flag" "${evaluate[@]}" painting.png "${weights[@]}" "$flag" 1
done
expect_exit 0 "${evaluate[@]}" painting.png "${weights[@]}" --space network --tv-weight 1
