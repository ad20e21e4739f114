#!/usr/bin/env bash
# Nothing that was given is replaced by what is written, under whatever name it is written; and no
# result replaces another.
. "$(dirname "$0")/expect.sh"

mkdir mine mine/album
cp photo.png painting.png left.png vgg19.safetensors tiny.toml mine
cp grey.png mine/init.png
cp red.png blue.png mine/album
with=(--recipe mine/tiny.toml --weights mine/vgg19.safetensors)
all=(mine/photo.png mine/painting.png mine/album "${with[@]}" --mask-content mine/left.png
  --init mine/init.png)
sums() { find mine -type f ! -name 'out*' -exec sha256sum {} + | sort; }
sums > before

# refused ROLE COMMAND...: it says what would be lost, and nothing is.
refused() {
  expect_refusal 2 "would replace the $1; choose another name" "${@:2}"
  sums > after
  expect_same before after
}

# ---- every input, by every output, by other names of it ----
ln -s mine other
ln mine/painting.png hard.png
ln -s mine/init.png link.png
ln -s link.png longer.png
refused photo limn paint "${all[@]}" -o mine/photo.png
refused photo limn paint "${all[@]}" -o "$PWD/mine/../other/photo.png"
refused painting limn paint "${all[@]}" -o other/painting.png
refused painting limn paint "${all[@]}" -o hard.png
refused painting limn paint "${all[@]}" -o other/album/red.png
refused mask limn paint "${all[@]}" -o other/left.png
refused mask limn paint "${all[@]}" --mask-keep link.png -o out/a.png --report mine/left.png
refused "initial picture" limn paint "${all[@]}" -o mine/init.png
refused "initial picture" limn paint "${all[@]}" -o longer.png
refused weights limn paint "${all[@]}" -o out/a.png --report other/vgg19.safetensors
refused recipe limn paint "${all[@]}" -o out/a.png --report other/tiny.toml
varied=(limn sweep mine/photo.png mine/painting.png "${with[@]}" --vary)
refused "initial picture" "${varied[@]}" seed=1,2 --init link.png -o mine/init.png
refused "initial picture" "${varied[@]}" init=content,mine/init.png,mine/left.png -o other/init.png
refused "initial picture" "${varied[@]}" init=content,mine/left.png -o out/a.png --report mine/left.png
refused recipe "${varied[@]}" seed=1,2 -o out/a.png --report mine/tiny.toml
ln -s ../mine/painting.png out/a.gif
run "${varied[@]}" seed=1,2 -o out/a.png --animation out/a.gif
expect_equal 2 "$exit_code"
expect_message "--animation: 'out/a.gif' would replace the painting"
rm out/*

# ---- a photo that comes through standard input is a file all the same ----
run bash -c 'limn paint - mine/painting.png --recipe mine/tiny.toml --weights mine/vgg19.safetensors \
  -o mine/photo.png < mine/photo.png'
expect_equal 2 "$exit_code"
expect_message "'mine/photo.png' would replace the photo"

# ---- a stream that is given twice ----
for streams in "- -" "- /dev/stdin" "/dev/fd/0 /dev/stdin"; do
  for input in "< mine/photo.png" "< <(cat mine/photo.png)"; do
    run bash -c "limn paint $streams -o out/a.png $input"
    expect_equal 2 "$exit_code"
    expect_message "are the same stream, which can only be read once; save it as a file first"
  done
done
run bash -c 'cat mine/photo.png | limn paint mine/photo.png - --mask-keep - -o out/a.png'
expect_equal 2 "$exit_code"
expect_message "the painting '-' and the mask '-' are the same stream"
run bash -c 'cat mine/tiny.toml | limn paint - mine/painting.png --recipe /dev/stdin -o out/a.png'
expect_equal 2 "$exit_code"
expect_message "the photo '-' and the recipe '/dev/stdin' are the same stream"
run bash -c 'cat mine/photo.png | limn evaluate - mine/painting.png -'
expect_equal 2 "$exit_code"
expect_message "the photo '-' and the picture '-' are the same stream"

# ---- a frame is read from a file ----
cp mine/photo.png anim.gif
refused photo limn paint "anim.gif[3]" mine/painting.png -o out/a.png --report anim.gif
cp mine/photo.png "anim.gif[3]"
refused photo limn paint "anim.gif[3]" mine/painting.png -o out/a.png --report "anim.gif[3]"

# ---- results of one command ----
ln -s a.json out/dangling.webp
expect_exit 2 limn paint "${all[@]}" -o out/a.png --report out/../out/a.png
expect_message "--report: 'out/../out/a.png' would replace the picture"
expect_exit 2 "${varied[@]}" seed=1,2 -o out/a.png --animation out/dangling.webp --report out/a.json
expect_message "--report: 'out/a.json' would replace the animation"
expect_exit 2 "${varied[@]}" seed=1,2 -o out/b.webp --animation out/../out/b.webp
expect_message "would replace the sheet"
rm out/*

# ---- converting ----
ln mine/vgg19.safetensors hard.safetensors
refused weights limn model convert mine/vgg19.safetensors -o hard.safetensors
refused weights limn model convert mine/vgg19.safetensors -o other/vgg19.safetensors

# ---- weights in several files ----
printf '[{"paths": ["shard.safetensors"], "weights": []}]' > manifest.json
printf 'x' > shard.safetensors
expect_refusal 2 "would replace the weights" limn model convert manifest.json -o shard.safetensors
expect_refusal 2 "would replace the weights" limn paint photo.png painting.png --recipe tiny.toml \
  --weights manifest.json -o out/a.png --report ./shard.safetensors
