#!/usr/bin/env bash
# --checkpoint and limn resume: the same picture, whatever is given anew, and what is refused.
. "$(dirname "$0")/expect.sh"

small=(--size 64 --smallest 32 --iterations 40 --plateau 0 --threads 1 --bits 16)
expect_exit 0 limn paint photo.png painting.png "${small[@]}" -o whole.png
expect_exit 0 limn paint photo.png painting.png "${small[@]}" -o kept.png --checkpoint a.limn
expect_same whole.png kept.png
expect_exit 0 limn info a.limn
expect_output "40 of 40"

# What is done is made again from its checkpoint; and may be painted on.
expect_exit 0 limn resume a.limn -o again.png
expect_same whole.png again.png
expect_exit 0 limn resume a.limn -o more.png --iterations 60
expect_message "continuing from iteration 40"
expect_message "of 60"
expect_different whole.png more.png

# Ctrl-C leaves picture and checkpoint, and says how to go on.
interrupted() {
  rm -f b.limn
  "${@}" > /dev/null 2> stderr &
  local painting=$!
  for _ in {1..400}; do
    [[ -e b.limn ]] && break
    sleep 0.02
  done
  kill -INT $painting
  exit_code=0
  wait $painting || exit_code=$?
}
long=(--size 64 --smallest 32 --iterations 4000 --plateau 0 --threads 1 --bits 16)
interrupted limn paint photo.png painting.png "${long[@]}" -o part.png --checkpoint b.limn
expect_equal 130 "$exit_code"
expect_file part.png
expect_message "run 'limn resume b.limn' to continue"
mkdir elsewhere
(cd elsewhere && limn resume ../b.limn -o ../rest.png --iterations 40 --threads 3 2> /dev/null)
expect_file rest.png
expect_exit 0 limn info b.limn --json
expect_json stdout 'r["iterations"] == 40 and r["photo"].endswith("/photo.png")'

# A checkpoint whose painting is not done is not lost to another one.
interrupted limn paint photo.png painting.png "${long[@]}" -o part.png --checkpoint b.limn
cp b.limn before.limn
expect_refusal 2 "is of an unfinished painting; run 'limn resume b.limn' to continue it" \
  limn paint photo.png painting.png "${small[@]}" -o out/a.png --checkpoint b.limn
expect_same before.limn b.limn
expect_refusal 3 "'red.png'" \
  limn paint photo.png painting.png "${small[@]}" -o out/a.png --checkpoint red.png
expect_refusal 2 "would replace the photo" \
  limn paint photo.png painting.png "${small[@]}" -o out/a.png --checkpoint photo.png

# What has changed is named.
cp painting.png mine.png
interrupted limn paint photo.png mine.png "${long[@]}" -o part.png --checkpoint b.limn
cp red.png mine.png
expect_refusal 3 "the painting 'mine.png' is not the file" limn resume b.limn -o out/a.png
rm mine.png
expect_refusal 3 "mine.png" limn resume b.limn -o out/a.png

# Damaged, cut, foreign, missing.
head -c 1000 before.limn > cut.limn
expect_refusal 3 "'cut.limn'" limn resume cut.limn -o out/a.png
head -c -100 before.limn > cut.limn
expect_refusal 3 "'cut.limn'" limn resume cut.limn -o out/a.png
echo "text" > text.limn
expect_refusal 3 "'text.limn'" limn resume text.limn -o out/a.png
expect_refusal 3 "not a limn checkpoint" limn resume vgg19.safetensors -o out/a.png
expect_refusal 3 "'missing.limn'" limn resume missing.limn -o out/a.png
expect_refusal 2 "--iterations" limn resume before.limn -o out/a.png --iterations x
expect_refusal 2 "--checkpoint-every: is -1" limn resume before.limn -o out/a.png --checkpoint-every -1

# No file of the command is written over another, and a pipe cannot be read again.
expect_refusal 2 "would replace" \
  limn paint photo.png painting.png "${small[@]}" -o out/a.png --checkpoint out/a.png
expect_refusal 2 "comes through a pipe" \
  limn paint - painting.png "${small[@]}" -o out/a.png --checkpoint c.limn
