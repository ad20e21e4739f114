#!/usr/bin/env bash
# Weights that cannot be used: code 3 and a message that names the file. (tests/weights has all the
# ways in which such files can be wrong; here are those in which people go wrong.)
. "$(dirname "$0")/expect.sh"

paint_with=(limn paint photo.png painting.png -o out/a.png --recipe tiny.toml --weights)
refused() { expect_refusal 3 "$2" "${paint_with[@]}" "$1"; }

# safetensors JSON BYTES: a file of this header and as many bytes of zeros.
safetensors() {
  # shellcheck disable=SC2059
  printf "$(printf '\\x%02x\\x%02x\\0\\0\\0\\0\\0\\0' $((${#1} % 256)) $((${#1} / 256)))"
  printf '%s' "$1"
  head -c "$2" /dev/zero
}
tensor() { printf '"features.0.%s": {"dtype": "%s", "shape": %s, "data_offsets": [%s]}' "$@"; }

refused missing.h5 "there is no weights file 'missing.h5'"
mkdir folder
refused folder "'folder' is a folder"
: > empty.h5
refused empty.h5 "'empty.h5' is empty; limn reads Keras .h5, .safetensors"
echo "hello" > text.h5
refused text.h5 "'text.h5' is text, not weights"
refused photo.png "'photo.png' is a PNG picture, not weights"
printf '<!DOCTYPE html><html>404</html>' > page.h5
refused page.h5 "'page.h5' is a web page"
refused /dev/zero "'/dev/zero' is not a regular file"
mkfifo pipe.h5
refused pipe.h5 "'pipe.h5' is not a regular file"

# ---- cut short ----
for bytes in 5 9 500 1000 100000; do
  head -c $bytes vgg19.safetensors > cut.safetensors
  refused cut.safetensors "'cut.safetensors'"
done
expect_message "if the file was cut short, fetch it again"
printf '\x89HDF\r\n\x1a\n and no more' > cut.h5
refused cut.h5 "'cut.h5'"

# ---- wrong inside ----
refused nan.safetensors \
  "'nan.safetensors': layer features.2 has a weight whose values should be finite"
printf '\xff\xff\xff\xff\xff\xff\xff\x7f{"a":1}' > absurd.safetensors
refused absurd.safetensors "'absurd.safetensors': the header should have at most 7 bytes"
safetensors '{"features.0.weight": 3' 0 > json.safetensors
refused json.safetensors "'json.safetensors'"
narrow=$(tensor weight F32 '[32, 3, 3, 3]' '0, 3456'),$(tensor bias F32 '[32]' '3456, 3584')
safetensors "{$narrow}" 3584 > shape.safetensors
refused shape.safetensors \
  "'shape.safetensors': layer features.0 should have a weight of 64 x 3 x 3 x 3"
safetensors "{$(tensor weight F32 '[64, 3, 3, 3]' '0, 9223372036854775807')}" 10 > far.safetensors
refused far.safetensors "'far.safetensors'"
safetensors '{"encoder.weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}' 4 \
  > other.safetensors
refused other.safetensors "'other.safetensors'"

# ---- a pickle that would run a command ----
printf '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.}.cposix\nsystem\n' \
  > evil.pth
printf "(S'touch executed'\ntR." >> evil.pth
refused evil.pth "'evil.pth' asks for 'posix.system', which no weights need"
[ ! -e executed ] || complain "nothing executed" "a file that only the command makes"

# ---- sound, but not what the recipe asks for ----
expect_refusal 2 "'tiny' is for vgg19, but the weights in 'vgg16.safetensors' are for vgg16" \
  "${paint_with[@]}" vgg16.safetensors
expect_refusal 2 "'vgg19.safetensors' end before conv2_1 of vgg19" \
  limn paint photo.png painting.png --weights vgg19.safetensors -o out/a.png

# ---- sound, but no loss is finite: that is no success, and is said even quietly ----
run "${paint_with[@]}" huge.safetensors --quiet
((exit_code != 0 && exit_code < 5)) || complain "an exit code that says it failed" "$exit_code"
expect_message "finite"
