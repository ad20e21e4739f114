#!/usr/bin/env bash
# A painting of which nothing came says so and why, writes no picture, and ends with code 2.
. "$(dirname "$0")/expect.sh"

# unpainted CAUSE NEXT_STEP FLAG...
unpainted() {
  expect_exit 2 "${paint[@]}" -o out/a.png "${@:3}"
  expect_message "limn: nothing was painted: "
  expect_message "$1"
  expect_message "; $2"
  expect_no_file out/a.png
}

# ---- nothing to lower: the photo is its own content ----
unpainted "the loss of the first picture is 0" "choose a --style-weight above 0" --style-weight 0
# ---- nothing that may move ----
python3 - > white.png <<'PYTHON'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
sys.stdout.buffer.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
                        + chunk(b"IDAT", zlib.compress(b"\0\xff")) + chunk(b"IEND", b""))
PYTHON
unpainted "the gradient of the first picture's loss" "start elsewhere" --mask-keep white.png
# ---- steps far too long, taken back until it gives up ----
unpainted "all 20 steps were undone" "choose a smaller --learning-rate" \
  --iterations 50 --optimiser sgd --learning-rate 1e12 --style-weight 1e6
# ---- no time ----
unpainted "--seconds 1e-09 left no time for a first step" "increase --seconds" --seconds 1e-9

# ---- the report is written all the same: it tells more ----
unpainted "is 0" "" --style-weight 0 --report out/a.json
expect_json out/a.json 'r["unchanged"] and r["outcome"] == "converged" and r["output"] is None'
expect_json out/a.json 'len(r["history"]) == 1 and r["history"][0]["total"] == 0'
rm out/*

# ---- without a name of its own the picture leaves no empty file either ----
run env -C out limn paint ../photo.png ../painting.png --recipe ../tiny.toml \
  --weights ../vgg19.safetensors --style-weight 0
expect_equal 2 "$exit_code"
expect_in_folder out ""

# ---- no iterations were asked for: the first picture is the result ----
expect_exit 0 "${paint[@]}" -o out/a.png --iterations 0 --report out/a.json
expect_picture out/a.png "48 x 36"
expect_json out/a.json '"unchanged" not in r'
rm out/*
# ---- all iterations were done, to no avail: the first picture is the best, and that is said ----
expect_exit 0 "${paint[@]}" -o out/a.png --optimiser adam --learning-rate 0.5 --report out/a.json
expect_picture out/a.png "48 x 36"
expect_message "out/a.png is still the first picture: none of 2 steps lowered the loss"
expect_message "; choose a smaller --learning-rate"
expect_json out/a.json 'r["unchanged"] and r["iteration"] == 0 and r["output"] == "out/a.png"'
rm out/*

# ---- of a sweep: noted, and no other painting is lost ----
sweep=(limn sweep photo.png painting.png "${weights[@]}" -o out/a.png --report out/a.json)
expect_exit 0 "${sweep[@]}" --vary style.weight=0,0.001
expect_message "style.weight 0: not painted: the loss of the first picture is 0"
expect_message "out/a.png: 1 of 2 paintings"
expect_json out/a.json '[p.get("unchanged", False) for p in r["painted"]] == [True, False]'
rm out/*
# Of all of them: there is no sheet.
expect_exit 2 "${sweep[@]}" --quiet --vary seed=1,2 --style-weight 0
expect_message "nothing was painted for any of the values; picture.seed 1: the loss of the first"
expect_in_folder out ""

# ---- a large weight is none of these: it paints, in any unit ----
for factor in 1e-12 1e-6 1 1e6 1e9 1e12; do
  expect_exit 0 "${paint[@]}" -o out/a.png --style-weight "$factor" --content-weight "$factor" \
    --iterations 8 --line-search strong-wolfe --report out/a.json
  expect_json out/a.json 'r["iteration"] == 8'
  expect_json out/a.json "r['history'][-1]['total'] < 0.5 * r['history'][0]['total']"
done
expect_exit 0 "${paint[@]}" -o out/a.png --style-weight 1e9 --iterations 20 --report out/a.json
expect_json out/a.json "r['history'][-1]['style'] < 0.1 * r['history'][0]['style']"
