#!/usr/bin/env bash
# limn texture: a picture from nothing, of the size that is asked for.
. "$(dirname "$0")/expect.sh"

quick=(--iterations 6 --threads 1)
texture=(limn texture painting.png "${quick[@]}")

# ---- its name and its size ----
expect_exit 0 "${texture[@]}" --size 48
expect_equal "48 x 48" "$("$DESCRIBE_PICTURE" painting-texture.png | cut -d " " -f 1-3)"
rm painting-texture.png
expect_exit 0 "${texture[@]}" --size 64x32 -o a.png --report a.json
expect_equal "64 x 32" "$("$DESCRIBE_PICTURE" a.png | cut -d " " -f 1-3)"
expect_json a.json 'r["photo"] is None and r["paintings"] == ["painting.png"]'
expect_json a.json 'r["recipe"]["name"] == "texture"'
for size in 0 -5 x 64x 64xx32 64x0 1e2 100001 "64 x 32"; do
  expect_refusal 2 "--size: '$size' is not a size" "${texture[@]}" --size="$size" -o out/b.png
done
expect_refusal 2 "EXEMPLAR is required" limn texture

# ---- another seed is another texture ----
expect_exit 0 "${texture[@]}" --size 48 -o one.png
expect_exit 0 "${texture[@]}" --size 48 --seed 2 -o two.png
expect_different one.png two.png

# ---- its colours are the exemplar's, whatever the painting made of them ----
expect_exit 0 limn texture red.png --iterations 1 --size 48 -o reddish.png
measure reddish.png none
expect_json measured.json 'r["inside"]["red"] > r["inside"]["blue"] + 0.1'
expect_exit 0 limn texture red.png --iterations 1 --size 48 --colors style -o grey.png
measure grey.png none
expect_json measured.json 'r["inside"]["red"] < r["inside"]["blue"] + 0.1'

# ---- what makes a texture of its own kind ----
for flags in "--tileable" "--symmetry both" "--style-symmetry left-right" "--shifts none" \
  "--shift-weight 9"; do
  # shellcheck disable=SC2086
  expect_exit 0 "${texture[@]}" --size 48 $flags -o other.png
  expect_different one.png other.png
done
expect_refusal 2 "multiples of 16; choose 48 x 64" \
  "${texture[@]}" --size 50x60 --tileable -o out/b.png
expect_refusal 2 "would not be tileable" "${texture[@]}" --size 48 --tileable \
  --transport-weight 1 -o out/b.png

# ---- painted again, and gone on with ----
expect_exit 0 limn replay a.png painting.png --verify
expect_exit 3 limn replay a.png photo.png --verify
expect_exit 0 "${texture[@]}" --size 48 --checkpoint t.limn -o t.png
expect_exit 0 limn resume t.limn --iterations 12 -o more.png
expect_different t.png more.png
expect_exit 0 limn info t.limn
expect_exit 0 "${texture[@]}" --size 48 --dry-run
