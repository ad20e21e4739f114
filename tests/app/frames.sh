#!/usr/bin/env bash
# Animations: the first frame unless another is named.
. "$(dirname "$0")/expect.sh"

first=(--iterations 0 "${weights[@]}")
expect_exit 0 limn paint moving.gif painting.png "${first[@]}" -o out/a.png
expect_message "'moving.gif' has 2 frames; the first is used, 'moving.gif[1]' is the second"
expect_picture out/a.png "48 x 36 opaque, colour 0.2"
expect_exit 0 limn paint 'moving.gif[1]' painting.png "${first[@]}" -o out/a.png
! grep -q "frames" stderr || complain "no word of frames" "$(< stderr)"
expect_picture out/a.png "48 x 36 opaque, colour 0.8"
expect_exit 0 limn paint photo.png painting.png "${first[@]}" --init 'moving.gif[1]' -o out/a.png
expect_picture out/a.png "48 x 36 opaque, colour 0.8"
# A file of that very name comes first.
cp photo.png 'moving.gif[0]'
expect_exit 0 limn paint 'moving.gif[0]' painting.png "${first[@]}" -o out/a.png
limn paint photo.png painting.png "${first[@]}" -o out/b.png --quiet
expect_same out/a.png out/b.png
rm out/a.png out/b.png
expect_refusal 3 "2" limn paint 'moving.gif[2]' painting.png "${first[@]}" -o out/a.png
expect_refusal 3 "'photo.png[1]'" limn paint 'photo.png[1]' painting.png "${first[@]}" -o out/a.png
