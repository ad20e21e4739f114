#!/usr/bin/env bash
# The pictures of --save-every replace nothing that was given either, nor another result; and only
# the names that they really get are in the way.
. "$(dirname "$0")/expect.sh"

mkdir mine
for name in photo out-0002 out-0004 out-0006 out-2 out-00002; do cp photo.png "mine/$name.png"; done
cp left.png mine/left.png
cp painting.png mine/painting.png
tiny=(--recipe tiny.toml --weights vgg19.safetensors)
saving=("${tiny[@]}" -o mine/out.png --save-every 2 --iterations 5)
from=(limn paint mine/photo.png mine/painting.png "${saving[@]}")

sums() { find mine -type f -exec sha256sum {} + | sort; }

# refused NAME ROLE COMMAND...
refused() {
  sums > before
  expect_refusal 2 "--save-every: 'mine/$1' would replace the $2; choose another name" "${@:3}"
  sums > after
  expect_same before after
}

# ---- every input ----
refused out-0002.png photo limn paint mine/out-0002.png painting.png "${saving[@]}"
refused out-0004.png painting limn paint photo.png red.png mine/out-0004.png "${saving[@]}"
refused out-0002.png mask "${from[@]}" --mask-keep mine/out-0002.png
refused out-0004.png "initial picture" "${from[@]}" --init mine/out-0004.png
refused out-0002.png painting limn paint photo.png mine "${saving[@]}"

# ---- the names that no picture gets ----
for name in out-0006 out-2 out-00002; do
  expect_exit 0 "${from[@]}" --init "mine/$name.png"
done
expect_in_folder mine "left.png out-00002.png out-0002.png out-0004.png out-0006.png out-2.png \
out.png painting.png photo.png"
from_second=(limn paint photo.png painting.png "${tiny[@]}" --init mine/out-0002.png)
expect_exit 0 "${from_second[@]}" -o mine/out.png --save-every 0
expect_exit 0 "${from_second[@]}" -o mine/out.png --save-every 3 --iterations 4
expect_exit 0 "${from_second[@]}" -o out/out.png --save-every 2 --iterations 4
expect_same photo.png mine/photo.png
rm out/*

# ---- more iterations have more digits ----
refused out-00002.png "initial picture" limn paint photo.png painting.png "${tiny[@]}" \
  -o mine/out.png --save-every 2 --iterations 10000 --init mine/out-00002.png

# ---- links that are called so ----
rm mine/out-0002.png && ln -s painting.png mine/out-0002.png
refused out-0002.png painting "${from[@]}"
rm mine/out-0002.png && ln mine/left.png mine/out-0002.png
refused out-0002.png mask "${from[@]}" --mask-keep mine/left.png
rm mine/out-0002.png

# ---- other results ----
refused out-0002.png report "${from[@]}" --report mine/out-0002.png
ln -s report.json mine/out-0002.png
refused out-0002.png report "${from[@]}" --report mine/report.json
rm mine/out-0002.png
refused out-0004.png report "${from[@]}" --report mine/../mine/out-0004.png

# ---- names with the time ----
timed=("${from[@]}" --save-name time)
cp photo.png mine/out-20010203-040506-0002.png
cp photo.png mine/out-99991231-235959-0002.png
cp photo.png mine/out-99991231-235959-0003.png
cp photo.png mine/out-9999123-1235959-0002.png
refused out-99991231-235959-0002.png "initial picture" "${timed[@]}" \
  --init mine/out-99991231-235959-0002.png
for name in out-20010203-040506-0002 out-99991231-235959-0003 out-9999123-1235959-0002 out-0004; do
  expect_exit 0 "${timed[@]}" --init "mine/$name.png"
done
expect_equal 2 "$(find mine -name 'out-2[0-9]*-0004.png' -o -name 'out-2[0-9]*-0002.png' \
  ! -name 'out-2001*' | sed 's/-0004.*/-0004/; s/.*-\(000.\).*/\1/' | sort -u | wc -l)"
