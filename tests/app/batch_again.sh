#!/usr/bin/env bash
# limn batch, given again: it paints what is missing or has changed, and that alone; failures cost
# nothing but themselves; Ctrl-C loses nothing.
. "$(dirname "$0")/expect.sh"

mkdir photos paintings
cp photo.png photos/a.png
cp grey.png photos/b.png
cp glass.png photos/c.png
cp red.png blue.png paintings/
batch=(limn batch photos --paintings paintings "${weights[@]}" -o out/x)

# expect_painted COUNT UP_TO_DATE COMMAND...
expect_painted() {
  expect_exit 0 "${@:3}"
  expect_message "$1 to paint, $2 up to date"
}
state() { (cd out/x && sha256sum -- *.png); }

expect_painted 6 0 "${batch[@]}"
first=$(state)
times=$(stat -c '%n %Y %i' out/x/*)
expect_painted 0 6 "${batch[@]}"
expect_equal "$times" "$(stat -c '%n %Y %i' out/x/*)"

# A result that is missing, a photo with other bytes, a painting, a setting, the format.
rm out/x/b-red.png
expect_painted 1 5 "${batch[@]}"
expect_equal "$first" "$(state)"
cp photo.png photos/b.png
expect_painted 2 4 "${batch[@]}"
cp half.png paintings/red.png
expect_painted 3 3 "${batch[@]}"
expect_painted 6 0 "${batch[@]}" --style-weight 0.01
expect_painted 0 6 "${batch[@]}" --style-weight 0.01 --threads 2
expect_painted 6 0 "${batch[@]}" --style-weight 0.01 --bits 16
expect_painted 6 0 "${batch[@]}" --style-weight 0.01 --bits 16 --again
# Bytes count, not names or times: a file that is only touched, or read through a link.
touch photos/a.png
mv photos moved && ln -s moved photos
expect_painted 0 6 "${batch[@]}" --style-weight 0.01 --bits 16

# What limn did not paint is not replaced; the others are painted.
rm out/x/*
cp photo.png out/x/a-red.png
expect_exit 5 "${batch[@]}" --report out/r.json
expect_message "limn: 'photos/a.png' in the style of 'paintings/red.png': 'out/x/a-red.png' exists,"
expect_message "out/x: 5 painted, 1 failed, "
expect_same out/x/a-red.png photo.png
expect_json out/r.json '[p["output"] for p in r["pictures"] if p["state"] == "failed"]
  == ["out/x/a-red.png"]'
expect_painted 6 0 "${batch[@]}" --again

# ---- a broken photo in the middle ----
head -c 200 photo.png > photos/b.png
expect_exit 5 "${batch[@]}" --again --report out/r.json --html out/g.html --sheet out/s.png
expect_json out/r.json '[p["state"] for p in r["pictures"]] ==
  ["painted"] * 2 + ["failed"] * 2 + ["painted"] * 2'
expect_json out/r.json 'all("photos/b.png" in p["error"] for p in r["pictures"][2:4])'
grep -q "Not painted" out/g.html || complain "failures in the gallery" "none"
echo "no picture" > photos/b.png
expect_exit 5 "${batch[@]}"
expect_message "0 to paint, 4 up to date"
expect_message "photos/b.png"
# One that is no picture by its name either is left out.
mv photos/b.png photos/notes.txt
expect_painted 0 4 "${batch[@]}"
rm photos/notes.txt
rm -r out/*

# If all fail for one reason, it is an error like that of limn paint.
expect_refusal 2 "relu9_9" "${batch[@]}" --style-layers relu9_9

# ---- shards: a partition, and together the whole ----
expect_exit 0 "${batch[@]}" --quiet
whole=$(state)
names=$(ls out/x)
rm -r out/x
for shard in 2 4 1 3; do
  expect_exit 0 "${batch[@]}" --shard $shard/4 --report out/r.json --html out/g.html
  ls out/x >> seen
  rm -r out/x
done
expect_equal "$names" "$(sort seen)"
expect_equal "g-1-of-4.html g-2-of-4.html g-3-of-4.html g-4-of-4.html r-1-of-4.json r-2-of-4.json \
r-3-of-4.json r-4-of-4.json" "$(cd out && echo *)"
expect_json out/r-2-of-4.json 'r["shard"] == {"number": 2, "count": 4}'
for shard in 1 2 3; do
  "${batch[@]}" --shard $shard/3 --quiet &
done
wait
expect_equal "$whole" "$(state)"
expect_exit 0 "${batch[@]}" --shard 9/9
expect_exit 0 "${batch[@]}" --shard 1/9
expect_message "there are 4 pictures: none for shard 1 of 9"
rm -r out/*

# ---- Ctrl-C: nothing half-written, and the next run goes on ----
# Each picture would take hours, but has a second and a half.
timed=("${batch[@]}" --iterations 1000000 --optimiser adam --learning-rate 0.001 --seconds 1.5)
command_run="${timed[*]}"
set -m  # else bash starts it with SIGINT ignored
"${timed[@]}" --report out/r.json > stdout 2> stderr &
set +m
process=$!
for ((tenths = 0; tenths < 400; ++tenths)); do
  ! grep -q "^1 of 4" stderr || break
  sleep 0.1
done
kill -INT $process
exit_code=0
wait $process || exit_code=$?
expect_equal 130 "$exit_code"
expect_message "give the same command to go on"
expect_json out/r.json 'r["painted"] >= 1 and r["waiting"] >= 1 and r["failed"] == 0'
painted=$(json out/r.json 'r["painted"]')
expect_equal "$painted" "$(find out/x -type f | wc -l)"
expect_painted $((4 - painted)) "$painted" "${timed[@]}"
