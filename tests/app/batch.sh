#!/usr/bin/env bash
# limn batch: what it paints, what it calls it, and that each picture is that of limn paint.
. "$(dirname "$0")/expect.sh"

mkdir photos paintings
cp photo.png photos/harbour.png
cp grey.png photos/street.png
cp red.png paintings/red.png
cp blue.png paintings/blue.png
batch=(limn batch "${weights[@]}")

# ---- N x M, in a folder that is made ----
expect_exit 0 "${batch[@]}" photos --paintings paintings -o out/a --report out/a.json
expect_in_folder out/a "harbour-blue.png harbour-red.png street-blue.png street-red.png"
expect_message "4 to paint, 0 up to date"
expect_message "1 of 4: out/a/harbour-blue.png: iteration 1 of 2, "
expect_message "out/a: 4 painted, "
expect_equal "" "$(< stdout)"
expect_picture out/a/street-red.png "48 x 36 opaque"
expect_json out/a.json '(r["painted"], r["up_to_date"], r["failed"], r["waiting"]) == (4, 0, 0, 0)'
expect_json out/a.json 'r["shard"] is None and r["network"] == "vgg19" and r["output"] == "out/a"'
expect_json out/a.json '[(p["photo"], p["paintings"]) for p in r["pictures"]] ==
  [(f"photos/{a}.png", [f"paintings/{b}.png"]) for a in ("harbour", "street") for b in ("blue", "red")]'
expect_json out/a.json 'all((p["state"], p["outcome"], p["width"], p["height"], p["iterations"])
  == ("painted", "finished", 48, 36, 2) and p["losses"]["total"] > 0 for p in r["pictures"])'

# Each is that of limn paint, to the byte, with what it says of itself.
for name in harbour-blue street-red; do
  expect_exit 0 limn paint "photos/${name%-*}.png" "paintings/${name#*-}.png" "${weights[@]}" \
    -o out/b.png --quiet
  cmp -s "out/a/$name.png" out/b.png || complain "the bytes of limn paint in $name.png" "others"
done

# ---- pairs; formats ----
expect_exit 0 "${batch[@]}" photos --paintings paintings --pairs -o out/pairs --format jpg \
  --quality 80
expect_in_folder out/pairs "harbour-blue.jpg street-red.jpg"
expect_exit 0 limn paint photos/street.png paintings/red.png "${weights[@]}" -o out/b.jpg \
  --quality 80
cmp -s out/pairs/street-red.jpg out/b.jpg || complain "the bytes of limn paint" "others"

# ---- names: what is alike is told apart ----
mkdir other
cp photo.jpg photos/harbour.jpg
cp photo.png other/harbour.png
expect_exit 0 "${batch[@]}" photos/harbour.png photos/harbour.jpg other/harbour.png \
  --paintings red.png -o out/names --dry-run --untimed --json
expect_json stdout '[p["output"].rsplit("/", 1)[1] for p in r["pictures"]] ==
  ["photos-harbour-red.png", "photos-harbour-red-2.png", "other-harbour-red.png"]'
expect_exit 0 "${batch[@]}" photos/harbour.png photos/harbour.jpg --paintings red.png \
  -o out/names --dry-run --untimed --json
expect_json stdout '[p["output"].rsplit("/", 1)[1] for p in r["pictures"]] ==
  ["harbour.png-red.png", "harbour.jpg-red.png"]'
expect_no_file out/names
rm photos/harbour.jpg

# ---- a list: settings of its own, several paintings, names ----
mkdir prints
cp photo.png prints/
cat > prints/list.csv <<'CSV'
photo,painting,painting,size,style.weight,name
photo.png,../red.png,,32,,
photo.png,../red.png,,32,0.1,
photo.png,../red.png,../blue.png,,,"both, blended"
CSV
expect_exit 0 "${batch[@]}" --list prints/list.csv -o out/list --report out/list.json
expect_in_folder out/list \
  "both, blended.png photo-red-size-32.png photo-red-style-weight-0.1-size-32.png"
expect_json out/list.json '[(p["width"], len(p["paintings"])) for p in r["pictures"]] ==
  [(32, 1), (32, 1), (48, 2)]'
expect_exit 0 limn paint photo.png red.png blue.png "${weights[@]}" -o out/b.png
cmp -s "out/list/both, blended.png" out/b.png || complain "the bytes of limn paint" "others"
expect_exit 0 limn paint photo.png red.png "${weights[@]}" --size 32 --style-weight 0.1 -o out/b.png
cmp -s "$(echo out/list/*0.1*)" out/b.png || complain "the bytes of limn paint" "others"

# The same in TOML gives the same files: nothing is painted again.
cat > prints/list.toml <<'TOML'
[[picture]]
photo = "photo.png"
painting = "../red.png"
picture.size = 32
[[picture]]
photo = "photo.png"
painting = "../red.png"
picture.size = 32
style.weight = 0.1
[[picture]]
photo = "photo.png"
painting = ["../red.png", "../blue.png"]
name = "both, blended"
TOML
expect_exit 0 "${batch[@]}" --list prints/list.toml -o out/list
expect_message "0 to paint, 3 up to date"

# ---- what it would do ----
expect_exit 0 "${batch[@]}" photos --paintings paintings red.png -o out/a --dry-run
expect_output "up to date  out/a/harbour-blue.png"
expect_output "to paint    out/a/harbour-paintings-red.png, 48 x 36 pixels"
expect_output "time        about 0:0"

# ---- programs read every event as an object ----
expect_exit 0 "${batch[@]}" photos --paintings red.png -o out/json --progress json
expect_json <(jq -s . stderr 2> /dev/null || python3 -c '
import json
print(json.dumps([json.loads(line) for line in open("stderr", encoding="utf-8")]))') '
  [e["number"] for e in r if e["event"] == "picture"] == [1, 2]
  and all(e["state"] == "painted" for e in r if e["event"] == "picture")
  and {e["painting"] for e in r if e["event"] == "progress"} == {1, 2}
  and (r[-1]["event"], r[-1]["outcome"], r[-1]["painted"]) == ("result", "finished", 2)'
