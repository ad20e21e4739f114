#!/usr/bin/env bash
# Places that cannot be written to: found before the painting begins.
. "$(dirname "$0")/expect.sh"

refused() { expect_refusal "$1" "$2" "${paint[@]}" -o "$3" "${@:4}"; }

# ---- the picture's name ----
refused 3 "'nowhere/a.png': there is no folder 'nowhere'; create it first" nowhere/a.png
refused 3 "there is no folder 'tiny.toml'" tiny.toml/a.png
mkdir folder  # as the picture's place it is fine: output_folder.sh
refused 2 "'out/a': the name needs an extension: .png, .jpg" out/a
refused 2 "''" ""
refused 2 "'out/.png'" out/.png
for ending in xyz bmp gif svg "png." "png[bitdepth=1]" "jpg "; do
  known="is not a known extension; use one of .png, .jpg"
  refused 2 "'out/a.$ending': '.${ending##*.}' $known" "out/a.$ending"
done
refused 2 "'out/a.jpg': JPEG has 8 bits per channel; for 16 write .png or .tif" out/a.jpg --bits 16
refused 2 "'out/a.webp': WebP allows at most 16383 pixels a side" out/a.webp --size 20000
mkfifo pipe.png
refused 3 "'pipe.png': it is not a regular file" pipe.png
[[ -p pipe.png ]] || complain "pipe.png to be what it was" "$(ls -l pipe.png)"
too_long=$(printf '%0252d' 0).png  # 256 bytes
refused 3 "$too_long" "out/$too_long"

# ---- the report's ----
refused 3 "'nowhere/a.json': there is no folder 'nowhere'; create it first" out/a.png \
  --report nowhere/a.json
refused 3 "'folder': it is a folder" out/a.png --report folder
refused 2 "report" out/a.png --report ""
refused 2 "out/a.png" out/a.png --report out/a.png  # one would replace the other
refused 2 "a.png" out/a.png --report ./out/../out/a.png
mkfifo pipe
refused 3 "'pipe'" out/a.png --report pipe
[[ -p pipe ]] || complain "pipe to be what it was" "$(ls -l pipe)"

# ---- a folder that may not be written to ----
mkdir locked && chmod 555 locked && chmod 777 out
user=()
((EUID != 0)) || user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if "${user[@]}" "$LIMN" --version > stdout 2>&1 && "${user[@]}" test -r photo.png; then
  expect_refusal 3 "'locked/a.png'" "${user[@]}" "${paint[@]}" -o locked/a.png
  expect_message "'locked'"
  expect_refusal 3 "'locked/a.json'" "${user[@]}" "${paint[@]}" -o out/a.png --report locked/a.json
  cp photo.png secret.png && chmod 000 secret.png
  expect_refusal 3 "'secret.png'" "${user[@]}" limn paint secret.png painting.png "${weights[@]}" \
    -o out/a.png
else
  echo "a folder without permission was not tested: the user 'nobody' cannot run limn here"
fi

# ---- a failure leaves the old picture as it was ----
echo "an old picture" > old.png
run limn paint photo.png painting.png "${weights[@]}" -o old.png --style-layers relu9_9
expect_equal 2 "$exit_code"
expect_equal "an old picture" "$(< old.png)"

# ---- a picture on the way that cannot be written does not cost the painting ----
mkdir out/a-0002.png
run "${paint[@]}" -o out/a.png --iterations 4 --save-every 2
expect_file out/a.png
rm -r out && mkdir out
