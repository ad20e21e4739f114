#!/usr/bin/env bash
# Alpha is a soft mask: of the photo, of paintings and of the first picture.
. "$(dirname "$0")/expect.sh"

flags=("${weights[@]}" --size 40 --painting-size own)
notice="transparency counts as a mask: only the visible part of"

# A painting with alpha is painted like the same one with its alpha as a mask.
expect_exit 0 limn paint photo.png round.png "${flags[@]}" -o out/alpha.png
expect_message "$notice 'round.png' is used"
expect_exit 0 limn paint photo.png round.png "${flags[@]}" --mask-style round_mask.png -o out/mask.png
expect_same out/alpha.png out/mask.png
expect_exit 0 limn paint photo.png painting.png "${flags[@]}" -o out/opaque.png
expect_different out/alpha.png out/opaque.png
! grep -q transparency stderr || complain "no word of transparency" "$(< stderr)"

# The photo's alpha is kept in the picture.
expect_exit 0 limn paint glass.png round.png "${weights[@]}" --size 48 -o out/glass.png
expect_message "$notice 'glass.png' and 'round.png' is used"
expect_picture out/glass.png "48 x 36 alpha 0.500"

# A first picture shows the photo where it is transparent.
expect_exit 0 "${paint[@]}" --init glass.png --iterations 0 -o out/first.png --bits 16
measure out/first.png none photo.png
expect_json measured.json 'r["inside"]["largest"] < 0.004'

# Of a picture that is transparent everywhere there is nothing to use.
rm out/*
for inputs in "photo.png nothing.png" "nothing.png painting.png" \
  "photo.png painting.png --init nothing.png"; do
  # shellcheck disable=SC2086
  expect_refusal 3 "'nothing.png' is completely transparent" \
    limn paint $inputs "${weights[@]}" -o out/a.png
done
mkdir album
cp nothing.png painting.png album
expect_exit 0 limn paint photo.png album "${weights[@]}" -o out/a.png
expect_message "'album/nothing.png' is completely transparent"
expect_message "it is left out of the folder's style"

# What is judged is told the same.
expect_exit 0 limn evaluate glass.png round.png out/a.png --json
expect_message "$notice 'glass.png' and 'round.png' is used"
expect_json stdout 'r["style"] > 0'
expect_exit 3 limn evaluate photo.png nothing.png out/a.png
expect_message "'nothing.png' is completely transparent"
