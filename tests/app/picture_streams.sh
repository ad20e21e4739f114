#!/usr/bin/env bash
# Pictures through pipes: - reads one from standard input and writes one to standard output.
. "$(dirname "$0")/expect.sh"

expect_exit 0 "${paint[@]}" -o plain.png
# piped FILE COMMAND...: with the file on standard input, through a pipe.
piped() {
  command_run="cat $1 | ${*:2}"
  exit_code=0
  # shellcheck disable=SC2002
  cat "$1" | timeout "$most_seconds" "${@:2}" > stdout 2> stderr || exit_code=$?
  [[ $exit_code == 0 ]] || complain "exit code 0" "$exit_code; $(< stderr)"
}

for name in - /dev/stdin /dev/fd/0; do
  piped photo.png limn paint "$name" painting.png "${weights[@]}" -o out/a.png
  expect_same plain.png out/a.png
  piped painting.png limn paint photo.png "$name" "${weights[@]}" -o out/a.png
  expect_same plain.png out/a.png
done
# From a file as well as from a pipe, and every picture that a command reads.
exit_code=0
limn paint - painting.png "${weights[@]}" -o out/a.png --quiet < photo.png || exit_code=$?
expect_equal 0 $exit_code
expect_same plain.png out/a.png
expect_exit 0 limn paint <(cat photo.png) <(cat painting.png) "${weights[@]}" -o out/a.png
expect_same plain.png out/a.png
for flag in --mask-content --mask-style --mask-keep --init; do
  expect_exit 0 "${paint[@]}" $flag left.png -o out/file.png
  piped left.png "${paint[@]}" $flag - -o out/pipe.png
  expect_same out/file.png out/pipe.png
done
piped photo.png limn sweep - painting.png "${weights[@]}" --vary iterations=0,1 -o out/sheet.png
piped photo.png "${paint[@]}" --init - -o out/a.png
piped plain.png limn evaluate photo.png painting.png - "${weights[@]}" --json
cp stdout from_pipe.json
expect_exit 0 limn evaluate photo.png painting.png plain.png "${weights[@]}" --json
expect_same stdout from_pipe.json
# A name is made for it.
cd out
piped ../photo.png limn paint - ../painting.png --recipe ../tiny.toml --weights ../vgg19.safetensors
expect_file stdin-painting.png
cd ..

# One stream serves one picture.
rm -r out && mkdir out
expect_refusal 2 "are the same stream" limn paint - - "${weights[@]}" -o out/a.png
expect_refusal 3 "the file is empty" limn paint - painting.png "${weights[@]}" -o out/a.png

# To standard output: the picture and nothing else, in any format.
run "${paint[@]}" -o -
expect_equal 0 $exit_code
expect_same plain.png stdout
expect_message "painting 48 x 36"
for format in jpg webp tif png; do
  expect_exit 0 "${paint[@]}" -o - --format $format
  cp stdout to_stdout.$format
  expect_exit 0 "${paint[@]}" -o out/a.$format
  expect_same to_stdout.$format out/a.$format
done
expect_exit 0 "${paint[@]}" -o out/jpeg_inside.dat --format jpg
expect_same to_stdout.jpg out/jpeg_inside.dat
run limn sweep photo.png painting.png "${weights[@]}" --vary iterations=0,1 -o - --format png
expect_equal 0 $exit_code
cp stdout sheet.png
expect_picture sheet.png " x "
rm -r out && mkdir out
expect_refusal 2 "'gif'" "${paint[@]}" -o - --format gif
expect_refusal 2 "--save-every" "${paint[@]}" -o - --save-every 1
expect_exit 3 bash -c 'exec "$@" > /dev/full' -- "${paint[@]}" -o -
expect_message "limn: cannot write '-': No space left on device"
