#!/usr/bin/env bash
# Without -o the picture's name is made from those of its inputs, and nothing is replaced.
. "$(dirname "$0")/expect.sh"

mkdir album
cp photo.png album/landscape.png
cp painting.png album/oil.v2.png
named=(limn paint album/landscape.png album/oil.v2.png "${weights[@]}")

# ---- in the current directory, with a number where the name is taken ----
expect_exit 0 "${named[@]}"
expect_message "landscape-oil.v2.png: iteration"
expect_picture landscape-oil.v2.png "48 x 36 opaque"
cp landscape-oil.v2.png first.png
expect_exit 0 "${named[@]}" --iterations 1 --report report.json
expect_message "landscape-oil.v2-2.png: iteration"
expect_json report.json 'r["output"] == "landscape-oil.v2-2.png"'
expect_exit 0 "${named[@]}" --save-every 1
expect_message "landscape-oil.v2-3.png: iteration"
expect_file landscape-oil.v2-3-0001.png
expect_same first.png landscape-oil.v2.png
expect_in_folder album "landscape.png oil.v2.png"

# ---- whatever holds the name: a folder, a link to nowhere ----
rm landscape-oil.v2*.png
mkdir landscape-oil.v2.png
ln -s nowhere landscape-oil.v2-2.png
expect_exit 0 "${named[@]}"
expect_file landscape-oil.v2-3.png
expect_no_file nowhere
rm -r landscape-oil.v2*.png

# ---- several runs at once take a name each ----
for _ in 1 2 3 4 5; do "${named[@]}" --quiet & done
wait
jobs > /dev/null  # which forgets those that are done
for number in "" -2 -3 -4 -5; do
  expect_picture "landscape-oil.v2$number.png" "48 x 36"
done
expect_no_file landscape-oil.v2-6.png
rm landscape-oil.v2*.png

# ---- a painting that fails leaves nothing ----
expect_refusal 2 "'relu9_9'" "${named[@]}" --style-layers relu9_9
expect_refusal 3 "missing.png" limn paint missing.png painting.png "${weights[@]}"
expect_refusal 2 "--bits" "${named[@]}" --bits 12
expect_equal "" "$(find . -name '*-*oil*' -o -name 'missing*')"

# ---- where nothing can be written ----
if [[ $(id -u) != 0 ]]; then
  mkdir closed && chmod 555 closed
  expect_refusal 3 "use --output FILE" \
    bash -c 'cd closed && exec "$@"' -- limn paint ../photo.png ../painting.png
fi

# ---- an explicit name is replaced, as ever ----
echo old > out/a.png
expect_exit 0 "${named[@]}" -o out/a.png
expect_picture out/a.png "48 x 36"
