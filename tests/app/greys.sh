#!/usr/bin/env bash
# A grey photo and grey paintings make a grey picture; matching colours invents none.
. "$(dirname "$0")/expect.sh"

colourful() {
  measure "$1" none
  json measured.json 'r["inside"]["spread"] > 0'
}
small=(--size 40 --iterations 6 --strength 0.8 --bits 16)
expect_exit 0 limn paint grey.png grey.png "${small[@]}" -o out/a.png
expect_equal False "$(colourful out/a.png)"
for colors in matched content palette; do
  expect_exit 0 limn paint grey.png red.png "${small[@]}" --colors $colors -o out/a.png
  expect_equal False "$(colourful out/a.png)"
done
# One picture in colours is enough for colours.
expect_exit 0 limn paint grey.png red.png "${small[@]}" -o out/a.png
expect_equal True "$(colourful out/a.png)"
expect_exit 0 limn paint photo.png grey.png "${small[@]}" -o out/a.png
expect_equal True "$(colourful out/a.png)"
