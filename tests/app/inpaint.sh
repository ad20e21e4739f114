#!/usr/bin/env bash
# limn inpaint: what is outside the hole stays, and what was in it is not looked at.
. "$(dirname "$0")/expect.sh"

quick=(--iterations 6 --threads 1)

# ---- the known pixels, to the bit: left.png is what right.png, the hole, is not ----
expect_exit 0 limn inpaint photo.png --hole right.png "${quick[@]}"
mv photo-inpainted.png a.png
measure a.png left.png photo.png
expect_json measured.json 'r["inside"]["largest"] == 0 and r["outside"]["difference"] > 0.02'

# In 16 bits too, without being told.
expect_exit 0 limn paint photo.png painting.png "${weights[@]}" --bits 16 -o deep.png
expect_exit 0 limn inpaint deep.png --hole right.png "${quick[@]}" -o b.png
measure b.png left.png deep.png
expect_json measured.json 'r["inside"]["largest"] == 0 and r["outside"]["difference"] > 0.02'
expect_exit 0 limn inpaint deep.png --hole right.png "${quick[@]}" --bits 8 -o b.png
measure b.png left.png deep.png
expect_json measured.json '0 < r["inside"]["largest"] < 0.003'

# ---- whatever was in the hole, the picture is the same ----
expect_exit 0 limn inpaint photo.png --hole right.png "${quick[@]}" --no-metadata -o one.png
expect_exit 0 limn inpaint a.png --hole right.png "${quick[@]}" --no-metadata -o two.png
expect_same one.png two.png

# ---- from elsewhere ----
expect_exit 0 limn inpaint photo.png --hole right.png --from red.png --iterations 20 -o reddish.png
measure reddish.png right.png
expect_json measured.json 'r["inside"]["red"] > r["inside"]["blue"] + 0.1'

# ---- masks that leave nothing to do, or nothing to go by ----
expect_refusal 2 "nothing to paint" limn inpaint photo.png --hole black.png -o out/c.png
expect_refusal 2 "white everywhere" limn inpaint photo.png --hole white.png -o out/c.png
expect_refusal 2 "--hole is required" limn inpaint photo.png -o out/c.png
expect_refusal 3 "missing.png" limn inpaint photo.png --hole missing.png -o out/c.png
expect_refusal 2 "--from" limn inpaint <(cat photo.png) --hole right.png -o out/c.png
expect_exit 0 limn inpaint <(cat photo.png) --hole right.png --from red.png "${quick[@]}" -o piped.png
expect_refusal 2 "be symmetric" \
  limn inpaint photo.png --hole right.png --symmetry both -o out/c.png

# ---- painted again ----
expect_exit 0 limn replay a.png photo.png --hole right.png --verify
expect_refusal 2 "give the mask of its hole" limn replay a.png photo.png
expect_exit 0 limn inpaint photo.png --hole right.png "${quick[@]}" --checkpoint h.limn \
  -o h.png
expect_exit 0 limn resume h.limn --iterations 9

# ---- limn season ----
expect_exit 0 limn season photo.png red.png --size 48 "${quick[@]}" -o s.png --report s.json
expect_json s.json 'r["recipe"]["name"] == "season"'
