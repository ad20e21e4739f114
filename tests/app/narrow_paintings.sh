#!/usr/bin/env bash
# Paintings too narrow for the style's layers: the message names file and layer, its advice works,
# and a folder is painted without them.
. "$(dirname "$0")/expect.sh"

small=(--size 40 --iterations 2 -o out/a.png)

# advised FLAG: its value in the message.
advised() { grep -oP -- "$1 \K[^ ;,]*(,[^ ;]+)*" stderr | head -1 | sed 's/,$//'; }

expect_refusal 2 "'strip.png' is used at 40 x 1 pixels, but style layer relu5_1 of builtin needs" \
  limn paint photo.png strip.png "${small[@]}"
expect_message "at least 16 x 16; use --style-scale "
scale=$(advised --style-scale)
layers=$(advised --style-layers)
neighbours=$(advised --neighbours-layers)
expect_exit 0 limn paint photo.png strip.png "${small[@]}" --style-scale "$scale"
expect_exit 0 limn paint photo.png strip.png "${small[@]}" --style-layers "$layers" \
  --neighbours-layers "$neighbours"
# A little less is too little.
rm out/a.png
expect_refusal 2 "needs at least 16 x 16" limn paint photo.png strip.png "${small[@]}" \
  --style-scale "$(python3 -c "print(round($scale - 0.1, 2))")"

# Content layers read the photo only.
expect_exit 0 limn paint photo.png strip.png "${small[@]}" --style-layers relu1_1 \
  --neighbours-weight 0
rm out/a.png

# Of several paintings only the narrow one is scaled.
expect_refusal 2 "'strip.png'" limn paint photo.png painting.png strip.png "${small[@]}"
expect_message "use --style-scale 1,"
expect_exit 0 limn paint photo.png painting.png strip.png "${small[@]}" \
  --style-scale "$(advised --style-scale)"
rm out/a.png

# A folder is painted without them.
mkdir album narrow
cp strip.png painting.png album
cp strip.png narrow
expect_exit 0 limn paint photo.png album "${small[@]}"
expect_message "limn: 'album/strip.png' is used at 40 x 1 pixels"
expect_message "it is left out of the folder's style"
rm out/a.png
expect_refusal 2 "the folder 'narrow' contains nothing else" limn paint photo.png narrow "${small[@]}"

# A small painting is enlarged, and the scale that is advised is one that works.
expect_exit 0 limn paint photo.png tiny.png "${small[@]}"
expect_message "'tiny.png' is only 8 x 8 pixels and is enlarged to 40 x 40"
scale=$(advised --style-scale)
expect_json <(echo "$scale") 'r < 1'
expect_exit 0 limn paint photo.png tiny.png "${small[@]}" --style-scale "$scale"
! grep -q "try --style-scale" stderr || complain "no further advice" "$(< stderr)"

# A photo that is too small is named too.
rm out/a.png
expect_refusal 2 "'photo.png' is used at 15 x 11 pixels, but layer" \
  limn paint photo.png painting.png --size 15 --border 0 -o out/a.png --style-scale 3
# Sides are rounded, not cut.
expect_exit 0 limn paint photo.png painting.png "${weights[@]}" --size 25 -o out/a.png
expect_picture out/a.png "25 x 19"  # 18.75
