#!/usr/bin/env bash
# The artist's controls that need one painting: each does what it is for, with the network inside.
. "$(dirname "$0")/expect.sh"

# with FLAGS...: a painting in out/a.png, and its report.
with() {
  expect_exit 0 limn paint "${pictures[@]}" --size $size --iterations $iterations --threads 1 \
    --bits 16 -o out/a.png --report out/a.json "$@"
}
size=48
iterations=20

# ---- --strength: the more of it, the less of the photo and the more of the painting ----
pictures=(photo.png painting.png)
for strength in 0 0.5 1; do
  with --strength $strength
  expect_exit 0 limn evaluate photo.png painting.png out/a.png --balance fixed --json
  cp stdout "strength$strength.json"
done
expect_json strength0.5.json 'load("strength0.json")["content"] < 0.5 * r["content"]
  and r["content"] < 0.8 * load("strength1.json")["content"]'
expect_json strength0.json 'r["style"] > 1.5 * load("strength0.5.json")["style"]
  and r["style"] > 1.5 * load("strength1.json")["style"]'
with
cp out/a.png usual.png
with --strength 0.5
expect_same usual.png out/a.png

# It has its say about measured weights only.
refused() { expect_refusal 2 "$1" "${paint[@]}" -o out/b.png "${@:2}"; }
rm -r out && mkdir out
refused "--strength: makes no difference to recipe 'tiny', which uses fixed weights; use" \
  --strength 0.7
refused "--style-weight instead, or add --balance measured" --strength 0.7
refused "--strength" --strength 0.7 --balance fixed
refused "--strength: is 1.5, but should be 0 to 1" --strength 1.5 --balance measured
expect_exit 0 "${paint[@]}" -o out/b.png --strength 0.7 --balance measured

# ---- --style-scale: at half the size the painting is that of half the size ----
pictures=(photo.png painting.png)
with --style-scale 0.5
cp out/a.png half_as_large.png
with --style-scale 0.6 --painting-size own  # 0.6 * 40 pixels are 0.5 * 48
expect_same half_as_large.png out/a.png
with
expect_different half_as_large.png out/a.png
rm -r out && mkdir out
refused "--style-scale: is 0, but should be 0.05 to 20" --style-scale 0
refused "style.scale has 2 values, but the number of styles is 1" --style-scale 1,2

# ---- --colors: of a grey photo no hue is left but the painting's, or none ----
pictures=(grey.png red.png)
size=40
with --colors style
measure out/a.png none
cp measured.json style.json
expect_json style.json 'r["inside"]["spread"] > 0.05'
with --colors content
measure out/a.png none
expect_json measured.json 'r["inside"]["spread"] < 0.002'
measure out/a.png none grey.png  # its lightness is painted all the same
expect_json measured.json 'r["inside"]["difference"] > 0.02'
with --colors matched
measure out/a.png none
expect_json measured.json 'r["inside"]["spread"] < 0.3 * load("style.json")["inside"]["spread"]'

# Of a photo in colours its own are left: far from red.
pictures=(photo.png red.png)
size=48
with --colors style
measure out/a.png none
cp measured.json style.json
with --colors content
measure out/a.png none photo.png
expect_json measured.json 'r["inside"]["difference"] > 0.01'
expect_json measured.json 'r["inside"]["red"] - r["inside"]["blue"] <
  0.2 * (load("style.json")["inside"]["red"] - load("style.json")["inside"]["blue"])'
rm -r out && mkdir out
refused "--colors: 'photo' is not one of 'style', 'content', 'matched', 'palette', 'histogram'" --colors photo

# ---- --seconds: a painting of hours ends in time, and says so ----
iterations=1000000
with --seconds 1
expect_json out/a.json 'r["outcome"] == "out of time" and r["seconds"] < 10'
expect_json out/a.json '0 < r["history"][-1]["iteration"] < 1000000'
expect_message ": ran out of time"
iterations=20
with --seconds 1000
expect_json out/a.json 'r["outcome"] == "finished" and r["history"][-1]["iteration"] == 20'

# ---- --plateau: so does one whose loss hardly falls, here by less than all of it ----
iterations=1000
with --plateau 0.9999
expect_json out/a.json 'r["outcome"] == "converged" and r["history"][-1]["iteration"] < 100'
expect_message "; ended at $(json out/a.json 'r["history"][-1]["iteration"]'): the loss had stopped falling"

# ---- a pyramid: the picture is painted small first ----
iterations=8
with --smallest 24
expect_json out/a.json '[h["width"] for h in r["history"]] ==
  sorted(h["width"] for h in r["history"])'
expect_json out/a.json '{h["width"] for h in r["history"]} == {24, 48}'
expect_picture out/a.png "48 x 36"
with --smallest 48
expect_json out/a.json '{h["width"] for h in r["history"]} == {48}'
# More iterations for small pictures than for large ones, or the other way.
with --smallest 24 --fall 0.3
expect_json out/a.json 'sum(h["width"] == 24 for h in r["history"]) >= 6'
with --smallest 24 --fall 3
expect_json out/a.json 'sum(h["width"] == 24 for h in r["history"]) <= 3'
# Pictures on the way are as large as the result.
with --smallest 24 --save-every 1
for picture in out/a-000[1-8].png; do expect_picture "$picture" "48 x 36"; done

# ---- a border is painted and cut off ----
with --border 0
cp out/a.png without.png
with --border 6
expect_picture out/a.png "48 x 36"
expect_different without.png out/a.png
