#!/usr/bin/env bash
# --preview: the picture as it stands, in a file that is always whole.
. "$(dirname "$0")/expect.sh"

# ---- the last preview is the result ----
expect_exit 0 "${paint[@]}" -o out/a.png --preview out/p.png
expect_picture out/p.png "48 x 36 opaque"
expect_equal "$("$DESCRIBE_PICTURE" out/a.png)" "$("$DESCRIBE_PICTURE" out/p.png)"
expect_in_folder out "a.png p.png"

# It changes nothing of the picture.
expect_exit 0 "${paint[@]}" -o out/b.png
expect_same out/a.png out/b.png

# Its ending gives the format; it is small however large the picture is.
expect_exit 0 "${paint[@]}" -o out/a.png --size 1500 --iterations 0 --preview out/p.jpg
expect_picture out/p.jpg "1024 x 768 opaque"
expect_picture out/a.png "1500 x 1125 opaque"
[[ $(head -c 3 out/p.jpg | od -An -tx1) == " ff d8 ff" ]] || complain "a JPEG" "something else"

# ---- other commands ----
expect_exit 0 "${paint[@]}" -o out/a.png --checkpoint out/a.limn --quiet
rm out/p.*
expect_exit 0 limn resume out/a.limn --iterations 3 --preview out/p.webp
expect_picture out/p.webp "48 x 36"
expect_exit 0 limn sweep photo.png painting.png "${weights[@]}" --vary seed=1,2 -o out/s.png \
  --preview out/q.png
expect_picture out/q.png "48 x 36"
expect_exit 0 limn texture painting.png --size 40x24 --iterations 4 -o out/t.png --preview out/t.jpg
expect_picture out/t.jpg "40 x 24"
rm out/*

# ---- while it paints it is replaced, and it is whole whenever it is read ----
"${paint[@]}" --iterations 1000000 --optimiser adam --learning-rate 0.001 -o out/a.png \
  --preview out/p.png --preview-every 0.05 2> stderr &
process=$!
names=0
before=
for ((i = 0; i < 600 && names < 8; ++i)); do
  sleep 0.05
  [[ -e out/p.png ]] || continue
  "$DESCRIBE_PICTURE" out/p.png > described 2>&1 || complain "a whole preview" "$(< described)"
  now=$(stat -c %i-%Y out/p.png)-$(sha256sum < out/p.png)
  [[ $now == "$before" ]] || names=$((names + 1))
  before=$now
done
((names >= 8)) || complain "8 previews, one after the other" "$names"
kill -INT $process
exit_code=0
wait $process || exit_code=$?
expect_equal 130 "$exit_code"
expect_equal "$("$DESCRIBE_PICTURE" out/a.png)" "$("$DESCRIBE_PICTURE" out/p.png)"
rm out/*

# ---- one that cannot be written is worth a warning, once ----
mkdir out/gone
"${paint[@]}" --iterations 1000000 --optimiser adam --learning-rate 0.001 -o out/a.png \
  --preview out/gone/p.png --preview-every 0 2> stderr &
process=$!
for ((i = 0; i < 600; ++i)); do
  [[ ! -e out/gone/p.png ]] || break
  sleep 0.05
done
rm -r out/gone 2> trouble || rm -r out/gone  # a preview may come in between
sleep 0.5
kill -INT $process
exit_code=0
wait $process || exit_code=$?
expect_equal 130 "$exit_code"
expect_equal 1 "$(grep -c '^limn: .*painting continues without a preview' stderr)"
expect_file out/a.png
rm out/*

# ---- found before the painting begins ----
refused() { expect_refusal "$1" "$2" "${paint[@]}" -o out/a.png "${@:3}"; }
cp photo.png mine.png
expect_refusal 2 "--preview: './mine.png' would replace the photo" \
  limn paint mine.png painting.png "${weights[@]}" -o out/a.png --preview ./mine.png
cmp -s photo.png mine.png || complain "the photo as it was" "another"
refused 2 "--preview: 'out/a.png' would replace the picture" --preview out/a.png
refused 2 "--preview: 'out/a.limn.png' would replace the checkpoint" --preview out/a.limn.png \
  --checkpoint out/a.limn.png
refused 2 "--preview: a pipe takes only one picture" --preview -
refused 2 "'out/p': the name needs an extension" --preview out/p
refused 2 "'out/p.bmp': '.bmp' is not a known extension" --preview out/p.bmp
refused 3 "there is no folder 'nowhere'" --preview nowhere/p.jpg
refused 2 "''" --preview ""
mkdir folder.jpg
refused 3 "folder.jpg" --preview folder.jpg
mkfifo pipe.jpg
refused 3 "'pipe.jpg': it is not a regular file" --preview pipe.jpg
refused 2 "--preview-every: no preview is written; add --preview FILE" --preview-every 1
for seconds in -1 nan 1e+99; do
  refused 2 "--preview-every: is $seconds, but should be 0 to 1e9 seconds" --preview out/p.jpg \
    --preview-every $seconds
done
