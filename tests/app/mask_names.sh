#!/usr/bin/env bash
# What is easily mistaken about masks: a second name behind a flag, a mask in colours.
. "$(dirname "$0")/expect.sh"

refused() { expect_refusal "$1" "$2" limn paint "${@:3}" "${weights[@]}" -o out/a.png; }
for flag in --mask-content --mask-style --mask-keep; do
  refused 2 "$flag: takes one mask, so 'right.png' after it would be a PAINTING" \
    photo.png painting.png $flag left.png right.png
  refused 2 "if it is a mask, use $flag 'right.png'" \
    photo.png $flag left.png right.png painting.png
done
# Where there is one PAINTING only, nothing can be mistaken.
expect_exit 0 limn paint photo.png --mask-content left.png painting.png "${weights[@]}" -o out/a.png
expect_exit 0 limn paint --mask-content left.png photo.png painting.png "${weights[@]}" -o out/b.png
expect_same out/a.png out/b.png
expect_exit 0 limn paint photo.png painting.png --mask-keep left.png --size 48 red.png \
  "${weights[@]}" -o out/b.png
rm out/*

for flag in --mask-content --mask-style --mask-keep; do
  refused 3 "'coloured_mask.png' has colours" photo.png painting.png $flag coloured_mask.png
done
