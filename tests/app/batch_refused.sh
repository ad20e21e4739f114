#!/usr/bin/env bash
# limn batch: what it refuses, before anything is painted or made.
. "$(dirname "$0")/expect.sh"

mkdir photos empty
cp photo.png grey.png photos/
batch=(limn batch "${weights[@]}" -o out/x)
refused() { expect_refusal 2 "$1" "${batch[@]}" "${@:2}"; }

refused "PHOTO: no photo was given"
refused "--paintings: no painting was given" photo.png
refused "--list: names the photos and paintings itself" photo.png --list list.csv
refused "--pairs: there are 2 photos, but 1 paintings" photos --paintings red.png --pairs
refused "--save-every: a batch does not save" photo.png --paintings red.png --save-every 5
refused "--format: a file in the format 'avif' cannot say" photo.png --paintings red.png \
  --format avif
refused "'xyz'" photo.png --paintings red.png --format xyz
refused "comes through a pipe" - --paintings red.png
for shard in 0/4 5/4 1 1/ /4 a/b 1/0 -1/4 1/4x 1/99999999; do
  refused "--shard: " photo.png --paintings red.png --shard=$shard
done
expect_refusal 3 "there is no photo 'missing.png'" "${batch[@]}" missing.png --paintings red.png
expect_refusal 3 "there is no painting 'missing.png'" "${batch[@]}" photo.png \
  --paintings missing.png
expect_refusal 3 "the folder 'empty' has no photo in it" "${batch[@]}" empty --paintings red.png
expect_refusal 3 "'photo.png' is a file" limn batch photo.png --paintings red.png -o photo.png
expect_refusal 2 "also where pictures are taken from" limn batch photos --paintings red.png \
  -o photos/.
expect_refusal 2 "'red.png' would replace the painting" "${batch[@]}" photo.png --paintings red.png \
  --sheet red.png
refused "would replace the picture" photo.png --paintings red.png --html out/x/photo-red.png
mkdir x
ln -s ../red.png x/photo-red.png
expect_refusal 2 "would replace the painting" limn batch photo.png --paintings red.png -o x \
  "${weights[@]}"

# ---- lists ----
# refused_list MESSAGE, with the list on standard input.
refused_list() {
  cat > "list.${2:-csv}"
  expect_refusal 2 "$1" "${batch[@]}" --list "list.${2:-csv}"
}
refused_list "'list.csv': is empty" < /dev/null
refused_list "lists no pictures" <<< "photo,painting"
refused_list "line 1: has no column 'painting'" <<< "photo,name"
refused_list "line 1: has two columns of 'photo'" <<< "photo,painting,photo"
refused_list "line 1: unknown key 'sise'; did you mean 'size'?" <<< "photo,painting,sise"
refused_list "line 2: has 3 cells, but the first line has 2" <<< $'photo,painting\na,b,c'
refused_list "line 2: a quotation mark is not closed" <<< $'photo,painting\n"a,b'
refused_list "line 2: something follows a closing quotation mark" <<< $'photo,painting\n"a"x,b'
refused_list "is not text" < <(printf 'PK\0\3')
refused_list "line 3: names no painting" <<< $'photo,painting\na,b\nc,'
refused_list "line 2: '../up' is not a name for a picture" <<< $'photo,painting,name\na,b,../up'
refused_list "line 3: has the name 'x', as has 'list.csv', line 2" \
  <<< $'photo,painting,name\nphoto.png,red.png,x\nphoto.png,blue.png,x'
refused_list "line 2, picture.size: 'big' is not a whole number" \
  <<< $'photo,painting,size\nphoto.png,red.png,big'
refused_list "line 2, strength: makes no difference to recipe 'tiny'" \
  <<< $'photo,painting,strength\nphoto.png,red.png,0.7'
refused_list "there is no recipe 'nowhere'" <<< $'photo,painting,recipe\nphoto.png,red.png,nowhere'
refused_list "line 1: unknown key '[[picture]]'" <<< "[[picture]]"
refused_list "line 2" toml <<< $'[[picture]]\nphoto ='
refused_list "has no section [[picture]]" toml <<< ""
refused_list "a list consists of sections, [[picture]]" toml <<< "photo = 'a'"
refused_list "line 3, sise: unknown key" toml <<< $'[[picture]]\nphoto = "a"\nsise = 3'
refused_list "line 1: names no photo" toml <<< $'[[picture]]\npainting = "a"'
refused_list "has more than 500 dots" toml < <(printf 'a.%.0s' {1..3000})
expect_refusal 3 "'missing.csv'" "${batch[@]}" --list missing.csv
expect_refusal 3 "'photos'" "${batch[@]}" --list photos
head -c 100000 /dev/urandom > list.csv
run "${batch[@]}" --list list.csv
[[ $exit_code == 2 ]] || complain "exit code 2" "$exit_code"

# A photo that a list names and is not there is that line's failure, the others are painted.
cat > list.csv <<'CSV'
photo,painting
missing.png,red.png
photo.png,red.png
CSV
expect_exit 5 "${batch[@]}" --list list.csv
expect_message "line 2: "
expect_message "missing.png"
expect_in_folder out/x photo-red.png
