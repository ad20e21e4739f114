#!/usr/bin/env bash
# --output may be a folder: the picture gets a name of its own there, and nothing is replaced.
. "$(dirname "$0")/expect.sh"

mkdir results results/deeper
expect_exit 0 "${paint[@]}" -o results
expect_message "results/photo-painting.png: iteration"
expect_exit 0 "${paint[@]}" -o results/ --report results/report.json
expect_json results/report.json 'r["output"] == "results/photo-painting-2.png"'
expect_same results/photo-painting.png results/photo-painting-2.png
ln -s results link
expect_exit 0 "${paint[@]}" -o link
expect_file results/photo-painting-3.png
expect_exit 0 "${paint[@]}" -o results/deeper/.. --save-every 1
expect_file results/photo-painting-4.png
expect_file results/photo-painting-4-0001.png
expect_exit 0 "${paint[@]}" -o .
expect_picture photo-painting.png "48 x 36"

# ---- a sweep's sheet ----
sweep=(limn sweep photo.png painting.png "${weights[@]}" --vary seed=1,2)
expect_exit 0 "${sweep[@]}" -o results/deeper
expect_message "results/deeper/photo-painting-sweep.png: 2 of 2 paintings"
expect_exit 0 "${sweep[@]}" -o results/deeper/
expect_in_folder results/deeper "photo-painting-sweep-2.png photo-painting-sweep.png"

# ---- into the folder of the paintings ----
mkdir album && cp red.png blue.png album
expect_exit 0 limn paint photo.png album "${weights[@]}" -o album
expect_in_folder album "blue.png photo-album.png red.png"
expect_same red.png album/red.png

# ---- a picture that fails leaves nothing there ----
expect_exit 2 "${paint[@]}" -o results/deeper --style-layers relu9_9
expect_exit 3 "${sweep[@]}" -o results/deeper --report results/deeper
expect_in_folder results/deeper "photo-painting-sweep-2.png photo-painting-sweep.png"

# ---- a folder that does not exist ----
for folder in nowhere/ nowhere/deeper/ photo.png/; do
  for command in paint sweep; do
    declare -n words=$command
    expect_refusal 3 "there is no folder '${folder%/}'; create it first" "${words[@]}" -o "$folder"
  done
done
expect_refusal 2 "'nowhere': the name needs an extension" "${paint[@]}" -o nowhere
expect_message "if you mean a folder, create it first"
expect_exit 3 "${paint[@]}" -o out/a.png --report results
expect_message "'results': it is a folder"
