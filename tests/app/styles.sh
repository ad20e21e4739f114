#!/usr/bin/env bash
# Several paintings: blends of them, folders of them, their names and their errors.
. "$(dirname "$0")/expect.sh"

small=(--size 48 --iterations 20 --threads 1 --strength 0.7 --bits 16)
# painted NAME PAINTING... FLAGS...: the picture NAME.png, and what describe_picture says of it.
painted() {
  expect_exit 0 limn paint photo.png "${@:2}" "${small[@]}" -o "$1.png"
  measure "$1.png" none
  cp measured.json "$1.json"
}
# how much redder than blue: json's r["inside"]
redness='(r["inside"]["red"] - r["inside"]["blue"])'
redness_of() { echo "(load('$1.json')['inside']['red'] - load('$1.json')['inside']['blue'])"; }

# ---- a blend lies between its paintings, nearer to that of the larger share ----
painted red_only red.png
painted blue_only blue.png
painted both red.png blue.png
expect_json both.json "$(redness_of blue_only) + 0.05 < $redness < $(redness_of red_only) - 0.05"
painted mostly_red red.png blue.png --blend 0.8,0.2
painted mostly_blue red.png blue.png --blend 0.2,0.8
expect_json both.json "$(redness_of mostly_blue) + 0.02 < $redness < $(redness_of mostly_red) - 0.02"

# Shares are proportions; equal ones unless they are given.
painted again red.png blue.png --blend 3,3
expect_same both.png again.png
# All of it for one painting is that painting, but for rounding.
painted all_red red.png blue.png --blend 1,0
measure all_red.png none red_only.png
expect_json measured.json 'r["inside"]["difference"] < 0.01'
measure both.png none red_only.png
expect_json measured.json 'r["inside"]["difference"] > 0.03'

# Paintings may stand after flags too.
expect_exit 0 limn paint photo.png red.png "${small[@]}" -o again.png blue.png
expect_same both.png again.png

# ---- each at its own scale ----
painted scaled red.png blue.png --style-scale 0.5,1
expect_different both.png scaled.png
painted again red.png blue.png --style-scale 1,1
expect_same both.png again.png

# ---- a folder is one style made of all its pictures ----
mkdir -p album/deeper
cp red.png album/b.png
cp blue.png album/a.png
cp grey.png album/.hidden.png
cp grey.png album/deeper/
# Their Gram matrices are averaged. (Neighbours are another matter: in a folder, each place looks for
# its own; in a blend it is drawn to one of each.)
painted grams_of_folder album --neighbours-weight 0
painted of_its_files blue.png red.png --neighbours-weight 0  # in the order of their names
measure grams_of_folder.png none of_its_files.png
expect_json measured.json 'r["inside"]["difference"] < 0.001'
# Of two styles it is one: half, not two thirds.
painted folder_and_red album red.png --neighbours-weight 0
painted shares blue.png red.png red.png --blend 0.25,0.25,0.5 --neighbours-weight 0
measure folder_and_red.png none shares.png
expect_json measured.json 'r["inside"]["difference"] < 0.001'

painted folder album

# What is no picture is left out, and that is said.
echo "sources" > album/readme.txt
head -c 100 red.png > album/cut.png
painted with_others album/
expect_message "limn: cannot read 'album/readme.txt': it is not a picture in a known format"
expect_message "limn: cannot read 'album/cut.png'"
expect_message "it is left out of the folder's style"
expect_same folder.png with_others.png
expect_exit 0 limn paint photo.png album "${small[@]}" -o again.png --quiet
expect_message "'album/readme.txt'"

# ---- names ----
expect_exit 0 limn paint photo.png red.png blue.png "${small[@]}"
expect_message "photo-red-blue.png: iteration"
expect_same both.png photo-red-blue.png
cp -r album "an album.v2"
expect_exit 0 limn paint photo.png "an album.v2/" "${small[@]}"
expect_message "photo-an album.v2.png: iteration"
cd album
expect_exit 0 limn paint ../photo.png . "${small[@]}"
expect_message "photo-album.png: iteration"
mv photo-album.png ..
cd ..
expect_same folder.png photo-album.png

# ---- what is refused ----
refused() { expect_refusal "$1" "$2" limn paint photo.png "${@:3}"; }
refused 3 "'missing.png'" red.png missing.png -o out/a.png
refused 3 "'missing/'" missing/ -o out/a.png
mkdir empty texts
echo "text" > texts/a.jpg
echo "text" > texts/b.jpg
refused 3 "'empty' is a folder with no picture" empty -o out/a.png
refused 3 "'texts' is a folder with no picture that limn can read" red.png texts -o out/a.png
refused 2 "style.blend has 3 shares, but the number of styles is 2" red.png blue.png -o out/a.png \
  --blend 1,2,3
refused 2 "style.scale has 3 values, but the number of styles is 2" red.png blue.png -o out/a.png \
  --style-scale 1,2,3
refused 2 "style.blend: the share of style number 1 is 0" red.png blue.png -o out/a.png --blend 0,0
refused 2 "--blend: is -1, but should be at least 0" red.png blue.png -o out/a.png --blend 1,-1
refused 2 "--blend: 'x' is not a number" red.png blue.png -o out/a.png --blend 1,x
refused 2 "--blend: '1,' ends with a comma" red.png blue.png -o out/a.png --blend 1,

# No input is replaced.
cp blue.png mine.png
refused 2 "--output: 'mine.png' would replace the painting" red.png mine.png -o mine.png
refused 2 "--output: 'album/b.png' would replace the painting" album -o album/b.png
refused 2 "--report: './album/readme.txt' would replace the painting" album -o out/a.png \
  --report ./album/readme.txt
expect_exit 0 limn paint photo.png album "${small[@]}" -o album/new.png
expect_file album/new.png
