#!/usr/bin/env bash
# limn paint: the picture that comes out.
. "$(dirname "$0")/expect.sh"

bytes_of() { od -An -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n'; }

# The bits per sample in a little-endian TIFF: tag 258.
bits_of_tiff() {
  python3 - "$1" <<'PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
directory, = struct.unpack_from("<I", data, 4)
for i in range(struct.unpack_from("<H", data, directory)[0]):
    tag, kind, count, place = struct.unpack_from("<HHII", data, directory + 2 + 12 * i)
    if tag == 258: print(struct.unpack_from("<H", data, place)[0])
PYTHON
}

# ---- every format that its ending names ----
declare -A signature=([png]=89504e47 [jpg]=ffd8ff [jpeg]=ffd8ff [webp]=52494646 [tif]=49492a00
  [tiff]=49492a00 [PNG]=89504e47)
for ending in "${!signature[@]}"; do
  expect_exit 0 "${paint[@]}" -o "out/a.$ending"
  first_bytes=${signature[$ending]}
  expect_equal "$first_bytes" "$(bytes_of "out/a.$ending" 0 $((${#first_bytes} / 2)))"
  expect_picture "out/a.$ending" "48 x 36 opaque"
done
expect_equal 57454250 "$(bytes_of out/a.webp 8 4)"

# ---- 8 and 16 bits, quality ----
expect_equal 08 "$(bytes_of out/a.png 24 1)"
expect_equal 8 "$(bits_of_tiff out/a.tif)"
expect_exit 0 "${paint[@]}" -o out/deep.png --bits 16
expect_equal 10 "$(bytes_of out/deep.png 24 1)"
expect_exit 0 "${paint[@]}" -o out/deep.tif --bits 16
expect_equal 16 "$(bits_of_tiff out/deep.tif)"
expect_exit 0 "${paint[@]}" -o out/coarse.jpg --quality 10
(($(stat -c %s out/coarse.jpg) < $(stat -c %s out/a.jpg))) ||
  complain "quality 10 to make a smaller JPEG than 95" "$(ls -l out/*.jpg)"

# ---- the same bytes each time, with any number of threads ----
for method in "lbfgs" "adam --learning-rate 0.02" "lbfgs --line-search strong-wolfe"; do
  # shellcheck disable=SC2206
  deep=("${paint[@]}" --bits 16 --iterations 6 --tv-weight 0.1 --optimiser $method)
  expect_exit 0 "${deep[@]}" -o out/first.png --report out/first.json
  expect_exit 0 "${deep[@]}" -o out/again.png
  expect_same out/first.png out/again.png
  for threads in 1 2 3 7; do
    expect_exit 0 "${deep[@]}" -o out/threads.png --report out/threads.json --threads "$threads"
    expect_same out/first.png out/threads.png
    expect_json out/threads.json '[h["total"] for h in r["history"]] ==
      [h["total"] for h in load("out/first.json")["history"]]'
  done
done

# ---- sizes ----
expect_exit 0 "${paint[@]}" -o out/small.png --size 24
expect_picture out/small.png "24 x 18"
expect_exit 0 "${paint[@]}" -o out/large.png --size 60
expect_picture out/large.png "60 x 45"
expect_exit 0 "${paint[@]}" -o out/own.png --size 0
expect_picture out/own.png "48 x 36"
expect_exit 0 "${paint[@]}" -o out/odd.png --size 47
expect_picture out/odd.png "47 x 35"
expect_exit 0 "${paint[@]}" -o out/one.png --size 1 --style-layers pool1 --pooling average
expect_picture out/one.png "1 x 1"

# ---- what the photo and the painting may be ----
for photo in photo.jpg photo.webp photo.tif grey.png; do
  expect_exit 0 limn paint $photo painting.png "${weights[@]}" -o out/b.png --size 40
  expect_picture out/b.png "40 x 30 opaque"
done
expect_exit 0 limn paint photo.png grey.png "${weights[@]}" -o out/b.png
expect_exit 0 limn paint glass.png glass.png "${weights[@]}" -o out/glass.png
expect_picture out/glass.png "48 x 36 alpha 0.500"
expect_exit 0 limn paint glass.png painting.png "${weights[@]}" -o out/glass.jpg
expect_picture out/glass.jpg "48 x 36 opaque, colour 0.7"  # on white: (0.5 + 1) / 2

# ---- the first picture ----
expect_exit 0 "${paint[@]}" -o out/untouched.png --iterations 0
expect_same photo.png out/untouched.png
expect_exit 0 "${paint[@]}" -o out/from_file.png --iterations 0 --init out/a.png
expect_same out/a.png out/from_file.png
expect_exit 0 "${paint[@]}" -o out/from_file.png --iterations 0 --init grey.png
expect_picture out/from_file.png "48 x 36"
expect_exit 0 "${paint[@]}" -o out/noise.png --init noise
expect_different out/a.png out/noise.png

expect_exit 0 "${paint[@]}" -o out/seed.png --seed 7
expect_same out/a.png out/seed.png
expect_exit 0 "${paint[@]}" -o out/noise7.png --init noise --seed 7
expect_different out/noise.png out/noise7.png
expect_exit 0 "${paint[@]}" -o out/noise7again.png --init noise --seed 7
expect_same out/noise7.png out/noise7again.png

# ---- pictures on the way ----
mkdir out/way
expect_exit 0 "${paint[@]}" -o out/way/p.png --iterations 7 --save-every 2
expect_in_folder out/way "p-0002.png p-0004.png p-0006.png p.png"
expect_picture out/way/p-0002.png "48 x 36 opaque"
expect_same out/a.png out/way/p-0002.png  # two iterations, as out/a.png has
expect_exit 0 "${paint[@]}" -o out/way/q.tif --iterations 2 --save-every 1 --bits 16
expect_equal 16 "$(bits_of_tiff out/way/q-0001.tif)"
expect_exit 0 "${paint[@]}" -o out/way/r.png --iterations 2 --save-every 3
expect_no_file out/way/r-0003.png

# The losses of those pictures are told, and a time can be put into their names.
expect_exit 0 "${paint[@]}" -o out/way/t.png --iterations 2 --save-every 2 --save-name time
expect_message "iteration 2/2: loss"
ls out/way | grep -qE '^t-[0-9]{8}-[0-9]{6}-0002\.png$' || complain "a name with time" "$(ls out/way)"

# ---- names ----
cp photo.png 'a [1].png'
expect_exit 0 limn paint 'a [1].png' painting.png "${weights[@]}" -o 'out/b [2].png'
expect_same out/a.png 'out/b [2].png'
cp photo.png recipes  # the name of a sub-command
expect_exit 0 limn paint recipes painting.png "${weights[@]}" -o out/b.png
cp photo.png ./-w.png
expect_exit 0 limn paint "${weights[@]}" -o out/b.png -- -w.png painting.png
expect_exit 0 limn paint photo.png painting.png --recipe=tiny.toml --weights=vgg19.safetensors \
  -oout/b.png
expect_same out/a.png out/b.png

longest=$(printf '%0251d' 0).png  # a name has 255 bytes at most
expect_exit 0 "${paint[@]}" -o "out/$longest"
expect_same out/a.png "out/$longest"

# An old picture is replaced, and nothing else is left beside it.
mkdir out/old
echo "an old picture" > out/old/c.png
expect_exit 0 "${paint[@]}" -o out/old/c.png
expect_same out/a.png out/old/c.png
expect_in_folder out/old "c.png"

expect_exit 0 "${paint[@]}" -o out/b.png --quiet
expect_equal "" "$(cat stdout stderr)"
