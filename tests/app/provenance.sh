#!/usr/bin/env bash
# What a picture says of itself: limn info, limn replay, and a picture as a recipe.
. "$(dirname "$0")/expect.sh"

small=(--size 48 --iterations 8)
for format in png jpg webp tif; do
  expect_exit 0 limn paint photo.png painting.png "${small[@]}" --seed 7 --strength 0.7 -o a.$format
  expect_exit 0 limn replay a.$format photo.png painting.png --verify
  expect_output "a.$format: identical, byte for byte"
  expect_exit 0 limn info a.$format --json
  expect_json stdout 'r["recipe"]["picture"]["seed"] == 7'
  expect_json stdout '[i["name"] for i in r["inputs"]] == ["photo.png", "painting.png", "builtin"]'
done
expect_exit 0 limn info a.png
expect_output "$(sha256sum < photo.png | cut -d' ' -f1)"
expect_output "strength = 0.7"

# Any number of threads, and pictures on the way, make the same file.
expect_exit 0 limn paint photo.png painting.png "${small[@]}" --seed 7 --strength 0.7 -o b.png \
  --threads 3 --save-every 5
cmp -s a.png b.png || complain "the same bytes in a.png and b.png" "others"
# One on the way is replayed as far as it came.
expect_exit 0 limn replay b-0005.png photo.png painting.png --verify
# So is one that was stopped early.
expect_exit 0 limn paint photo.png painting.png --size 48 --smallest 24 --iterations 100000 \
  --seconds 1 --threads 1 -o short.png
expect_exit 0 limn replay short.png photo.png painting.png --verify

# A changed input is named, and so is one that is missing.
expect_refusal 3 "the painting 'red.png' is not the file" \
  limn replay a.png photo.png red.png -o out/a.png
expect_refusal 3 "the photo 'red.png' is not the file" \
  limn replay a.png red.png painting.png -o out/a.png
expect_refusal 3 "1 painting file(s), but 2 were given" \
  limn replay a.png photo.png painting.png red.png -o out/a.png
expect_refusal 2 "would replace the picture" limn replay a.png photo.png painting.png -o a.png

# A picture with other pixels under the same notes is found out.
expect_exit 0 limn paint photo.png painting.png "${small[@]}" --seed 7 --strength 0.2 -o c.png
python3 - <<'PY'
# The notes of one PNG with the pixels of another.
def chunks(name):
    data = open(name, "rb").read()
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at:at + 4], "big")
        yield data[at + 4:at + 8], data[at:at + 12 + length]
        at += 12 + length
notes = [whole for kind, whole in chunks("a.png") if kind == b"zTXt"]
with open("forged.png", "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n")
    for kind, whole in chunks("c.png"):
        if kind == b"zTXt":
            whole = notes.pop()
        file.write(whole)
PY
expect_exit 1 limn replay forged.png photo.png painting.png --verify
expect_output "a different picture"

# A picture is a recipe.
expect_exit 0 limn paint photo.png painting.png --recipe a.png --threads 2 -o d.png
cmp -s a.png d.png || complain "the same bytes in a.png and d.png" "others"
expect_exit 0 limn paint photo.png painting.png "${small[@]}" -o bare.png --no-metadata
expect_refusal 3 "carries no recipe" limn paint photo.png painting.png --recipe bare.png -o out/a.png
expect_refusal 3 "does not say how it was painted" limn info bare.png
expect_refusal 3 "carries no recipe" limn replay photo.png photo.png painting.png -o out/a.png
! grep -q limn bare.png || complain "no trace in bare.png" "there is one"

# Masks and first pictures count too.
masked=(--mask-style left.png --init red.png)
expect_exit 0 limn paint photo.png painting.png "${small[@]}" "${masked[@]}" -o e.png
expect_exit 0 limn replay e.png photo.png painting.png "${masked[@]}" --verify
expect_refusal 2 "began with the picture 'red.png'; give its file" \
  limn replay e.png photo.png painting.png -o out/a.png
expect_refusal 3 "the initial picture 'blue.png' is not the file" \
  limn replay e.png photo.png painting.png --mask-style left.png --init blue.png -o out/a.png
