#!/usr/bin/env bash
# Masks: where a manner goes, where it is taken from, and where the photo stays.
. "$(dirname "$0")/expect.sh"

small=(--size 48 --iterations 20 --threads 1 --strength 0.8 --bits 16)
# painted PAINTING... FLAGS...: out/a.png; measured.json then has its left half inside, its right
# half outside.
painted() {
  expect_exit 0 limn paint photo.png "$@" "${small[@]}" -o out/a.png --report out/a.json
  measure out/a.png left.png
}
inside='(r["inside"]["red"] - r["inside"]["blue"])'
outside='(r["outside"]["red"] - r["outside"]["blue"])'

# ---- --mask-content: each manner in its place ----
painted red.png blue.png --mask-content left.png --mask-content right.png
expect_json measured.json "$inside > 0.1 and $outside < -0.1"
painted red.png blue.png --mask-content right.png --mask-content left.png
expect_json measured.json "$inside < -0.1 and $outside > 0.1"
# A painting without a mask has what the others leave.
painted red.png blue.png --mask-content left.png
expect_json measured.json "$inside > 0.1 and $outside < -0.1"
painted red.png blue.png --mask-content none --mask-content left.png
expect_json measured.json "$inside < -0.1 and $outside > 0.1"
painted red.png blue.png grey.png --mask-content right.png
expect_json measured.json "$outside > 0.1 and $inside < $outside - 0.2"
# A mask of another size is resized; grey is partly inside.
painted red.png blue.png
cp out/a.png blend.png
painted red.png blue.png --mask-content grey.png
expect_different blend.png out/a.png

# One manner in one place: elsewhere nothing is asked for but the photo.
painted red.png --mask-content left.png
expect_json measured.json "$inside > $outside + 0.1"

# ---- --mask-style: the manner of a part of a painting ----
painted half.png
expect_json measured.json "-0.15 < $inside < 0.15"
painted half.png --mask-style left.png
expect_json measured.json "$inside > 0.1 and $outside > 0.1"
painted half.png --mask-style right.png
expect_json measured.json "$inside < -0.1 and $outside < -0.1"
painted half.png half.png --mask-style left.png --mask-style right.png --mask-content right.png
expect_json measured.json "$inside < -0.1 and $outside > 0.1"

# ---- --mask-keep: the photo to the bit there, painted elsewhere ----
for smallest in 0 24; do
  painted red.png --mask-keep left.png --smallest $smallest
  measure out/a.png left.png photo.png
  expect_json measured.json 'r["inside"]["largest"] == 0 and r["outside"]["difference"] > 0.03'
done
painted red.png --mask-keep left.png --colors content --init noise
measure out/a.png left.png photo.png
expect_json measured.json 'r["inside"]["largest"] == 0 and r["outside"]["difference"] > 0.01'

# ---- what is refused ----
rm -r out && mkdir out
refused() { expect_refusal "$1" "$2" limn paint photo.png "${@:3}" -o out/a.png; }
refused 2 "--mask-content: given 2 times, but there is 1 PAINTING; masks and paintings are matched" \
  red.png --mask-content left.png --mask-content right.png
refused 2 "--mask-style: given 3 times, but there are 2 PAINTINGs" red.png blue.png \
  --mask-style none --mask-style none --mask-style left.png
refused 2 "--mask-keep: given more than once" red.png --mask-keep left.png --mask-keep right.png
expect_refusal 2 "--mask-content: needs a value" limn paint photo.png red.png -o out/a.png \
  --mask-content
refused 3 "'missing.png'" red.png --mask-content missing.png
refused 3 "'missing.png'" red.png --mask-style missing.png
refused 3 "'missing.png'" red.png --mask-keep missing.png
refused 3 "''" red.png --mask-keep ""
refused 3 "''" red.png --mask-content ""
refused 3 "'tiny.toml'" red.png --mask-content tiny.toml
mkdir album
cp red.png blue.png album
refused 2 "--mask-style: 'left.png' cannot be the mask of 'album', a folder of 2 pictures" \
  album --mask-style left.png
rm album/blue.png
expect_exit 0 limn paint photo.png album "${small[@]}" --mask-style left.png -o out/a.png
rm out/a.png
refused 2 "the picture's mask of style number 1 is black everywhere" red.png \
  --mask-content black.png
refused 2 "the painting's mask of style number 2 is black everywhere" red.png blue.png \
  --mask-style none --mask-style black.png

# Masks are inputs: they are not replaced.
cp left.png mine.png
for flag in --mask-content --mask-style --mask-keep; do
  expect_refusal 2 "--output: 'mine.png' would replace the mask" limn paint photo.png red.png \
    $flag mine.png -o mine.png
done

# ---- limn sweep takes them too ----
expect_exit 0 limn sweep photo.png red.png blue.png --size 48 --iterations 3 --mask-content left.png \
  --mask-style none --mask-style right.png --mask-keep right.png --vary strength=0.2,0.8 \
  -o out/a.png --report out/a.json
expect_json out/a.json 'r["masks"] == {"content": ["left.png"], "style": ["none", "right.png"],
  "keep": "right.png"}'
