#!/usr/bin/env bash
# Sizes in centimetres and inches, the resolution that files state, and formats that are too small.
. "$(dirname "$0")/expect.sh"

# dpi_of FILE: every resolution that a PNG, JPEG, TIFF or WebP states, in pixels per inch across and
# down: "pHYs 300 300". A JPEG states it twice.
dpi_of() {
  python3 - "$1" <<'PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
def say(where, across, down): print(where, f"{across:.6g}", f"{down:.6g}", end=" ")
def say_tiff(where, tiff):  # a TIFF, or EXIF, which is one
    order = "<" if tiff[:2] == b"II" else ">"
    at, tags = struct.unpack_from(order + "I", tiff, 4)[0], {}
    for i in range(struct.unpack_from(order + "H", tiff, at)[0]):
        tag, kind, count, value = struct.unpack_from(order + "HHII", tiff, at + 2 + 12 * i)
        if tag in (282, 283):
            top, bottom = struct.unpack_from(order + "II", tiff, value)
            tags[tag] = top / bottom
        if tag == 296:
            tags[tag] = struct.unpack_from(order + "H", tiff, at + 10 + 12 * i)[0]
    inch = {2: 1, 3: 2.54}[tags[296]]
    say(where, tags[282] * inch, tags[283] * inch)
if data[:4] == b"\x89PNG":
    across, down, unit = struct.unpack_from(">IIB", data, data.index(b"pHYs") + 4)
    assert unit == 1
    say("pHYs", across * 0.0254, down * 0.0254)
elif data[:2] == b"\xff\xd8":
    at = 2
    while data[at + 1] != 0xda:
        segment = data[at + 4:at + 2 + struct.unpack_from(">H", data, at + 2)[0]]
        if segment[:5] == b"JFIF\0":
            assert at == 2 and segment[7] == 1
            say("JFIF", *struct.unpack_from(">HH", segment, 8))
        if segment[:6] == b"Exif\0\0":
            say_tiff("EXIF", segment[6:])
        at += 4 + len(segment)
elif data[:4] == b"RIFF":
    at = data.index(b"EXIF") + 8
    say_tiff("EXIF", data[at + 6:] if data[at:at + 4] == b"Exif" else data[at:])
else:
    say_tiff("TIFF", data)
PYTHON
}

expect_dpi() { expect_equal "$2" "$(dpi_of "$1" 2>&1 | sed 's/ *$//')"; }

# prints PIXELS DPI FLAGS...: the picture is as wide, and says so many pixels per inch.
prints() {
  expect_exit 0 "${paint[@]}" "${@:3}" -o a.tif
  expect_picture a.tif "$1 x "
  expect_dpi a.tif "TIFF $2 $2"
}

# ---- the longer side of a print ----
prints 59 300 --size 5mm@300dpi
prints 47 300 --size 0.4cm
prints 48 240 --size 0.2in@240dpi
prints 48 240 --size 0.2INCH@240DPI
prints 40 400 --size 0.254cm@400
prints 37 90.5 --size 10.5mm@90.5dpi
prints 24 150 --size 0.4cm --dpi 150
prints 47 300 --size 0.4cm@300dpi --dpi 300
# Without one, --dpi changes no pixel.
prints 40 150 --size 40 --dpi 150
prints 40 72 --size 40
expect_exit 0 "${paint[@]}" --size 40 -o plain.png
expect_exit 0 "${paint[@]}" --size 40 --dpi 150 -o stated.png
measure stated.png none plain.png
expect_json measured.json 'r["inside"]["largest"] == 0'

# ---- where formats state it ----
for format in "png pHYs 299.999 299.999" "jpg JFIF 300 300 EXIF 300 300" "tif TIFF 300 300" \
  "webp EXIF 300 300"; do
  name=a.${format%% *}
  expect_exit 0 limn paint photo.png painting.png --iterations 3 --size 5mm -o "$name"
  expect_message "painting 59 x 44 pixels, 0.5 x 0.4 cm at 300 dpi, with recipe 'limn'"
  expect_dpi "$name" "${format#* }"
  expect_picture "$name" "59 x 44"
  # Whatever paints it again states it too.
  expect_exit 0 limn replay "$name" photo.png painting.png --verify
  expect_exit 0 limn info "$name"
  expect_output "0.5 x 0.4 cm at 300 dpi"
done
expect_exit 0 limn info a.jpg --json
expect_json stdout 'r["dpi"] == 300 and r["width"] == 59'
expect_exit 0 limn paint photo.png painting.png --iterations 4 --size 5mm -o a.png \
  --checkpoint a.limn
expect_exit 0 limn resume a.limn -o b.png
cmp -s a.png b.png || complain "the same bytes in a.png and b.png" "others"

# ---- what is as large as the photo is printed as large ----
expect_exit 0 "${paint[@]}" --size 40 --dpi 600 -o scan.png
prints_scan() {
  expect_exit 0 limn "$2" scan.png "${@:3}" -o a.tif
  expect_dpi a.tif "TIFF $1 $1"
}
prints_scan 600 paint painting.png "${weights[@]}" --size 0
prints_scan 150 paint painting.png "${weights[@]}" --size 0 --dpi 150
prints_scan 72 paint painting.png "${weights[@]}" --size 30
prints_scan 600 inpaint --hole right.png --iterations 3
prints_scan 300 inpaint --hole right.png --iterations 3 --dpi 300

# ---- other commands ----
expect_exit 0 limn texture painting.png --iterations 3 --size 0.2x0.1in@240dpi -o a.tif
expect_picture a.tif "48 x 24"
expect_dpi a.tif "TIFF 240 240"
expect_exit 0 limn season photo.png painting.png --iterations 3 --size 4mm -o a.tif
expect_picture a.tif "47 x "
expect_exit 0 limn sweep photo.png painting.png "${weights[@]}" --size 4mm --vary style.weight=1,2 \
  -o a.png --report a.json
expect_json a.json 'r["painted"][0]["width"] == 47'
expect_dpi a.png "pHYs 299.999 299.999"
expect_exit 0 limn evaluate photo.png painting.png stated.png --size 4mm --json
expect_json stdout 'r["width"] == 47'

# ---- the forecast ----
large=(limn paint photo.png painting.png --dry-run --untimed --size 60cm@300dpi)
expect_exit 0 "${large[@]}"
expect_output "photo-painting.png, 7087 x 5315 pixels"
expect_output "print       60.0 x 45.0 cm at 300 dpi"
expect_exit 0 "${large[@]}" --json
expect_json stdout 'r["sizes"][-1]["width"] == 7087 and r["print"]["dpi"] == 300'
expect_json stdout 'abs(r["print"]["width_cm"] - 60) < 0.01'
expect_json stdout 'abs(r["print"]["height_cm"] - 45) < 0.01'

# ---- sizes that are none ----
refused() { expect_refusal 2 "$1" "${paint[@]}" -o out/a.png "${@:2}"; }
for size in cm @300dpi 60cm@ 60cm@dpi 60@300dpi 60m 60km@300dpi -60cm nancm@300dpi infcm 1e3cm \
  60cm@nandpi 60cm@-300dpi 60cm@300dpi@300dpi "60 cm" "60cm " 60,5cm 6.0.5cm .cm 60cmcm \
  60cm@300dpidpi 512px x60cm; do
  refused "--size: '$size' is not a size; give pixels, 512, or a print, such as 60cm@300dpi" \
    "--size=$size"
done
refused "--size: '60x40cm' has two lengths" --size 60x40cm
refused "--size: '60x40' is not a whole number" --size 60x40
expect_exit 0 limn texture painting.png --iterations 3 --size 48x24 --dpi 240 -o a.tif
expect_picture a.tif "48 x 24"
expect_dpi a.tif "TIFF 240 240"
refused "--size: '0cm' is less than one pixel at 300 dpi; choose a larger print" --size 0cm
refused "less than one pixel" --size 0.001mm
refused "--size: '60cm@0dpi' has 0 dpi, but should have 1 to 10000" --size 60cm@0dpi
refused "has 10001 dpi, but should have 1 to 10000" --size 1cm@10001dpi
refused "has 0.5 dpi" --size 60cm@0.5dpi
refused "is 118110 pixels at 300 dpi, but at most 100000 are possible; choose at most 254 dpi" \
  --size 1000cm@300dpi
refused "choose a smaller print" --size 9999999cm@1dpi
refused "choose a smaller print" --size "$(printf '%0300d' 0 | tr 0 9)in"
refused "is not a size" --size "$(printf '%0400d' 0 | tr 0 9)in"
for dpi in 0 -300 nan inf 0.5 10001 1e300; do
  refused "but should be 1 to 10000; most prints have 150 to 300" "--dpi=$dpi"
done
for dpi in 300dpi "" 1e400 x "300 "; do refused "--dpi: '$dpi' is not a number" --dpi "$dpi"; done
refused "--dpi: is 200, but --size '4mm@300dpi' has 300 dpi; leave out one of them" \
  --size 4mm@300dpi --dpi 200
expect_refusal 2 "--size: '4x0mm' is less than one pixel" \
  limn texture painting.png --size 4x0mm -o out/a.png
expect_refusal 2 "choose at most 254 dpi" limn texture painting.png --size 1x1000cm -o out/a.png

# ---- formats that do not hold it, found before anything is painted ----
for dry in "" --dry-run; do
  # shellcheck disable=SC2086
  expect_refusal 2 \
    "JPEG allows at most 65500 pixels a side, but this picture has 70866; write .png, .tif" \
    "${paint[@]}" --size 600cm -o out/a.jpg $dry
  # shellcheck disable=SC2086
  expect_refusal 2 \
    "WebP allows at most 16383 pixels a side, but this picture has 23622; write .png, .jpg, .tif" \
    "${paint[@]}" --size 2000mm -o out/a.webp $dry
done
python3 - <<'PYTHON'
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
open("wide.png", "wb").write(b"\x89PNG\r\n\x1a\n" +
    chunk(b"IHDR", struct.pack(">IIBBBBB", 16385, 32, 8, 0, 0, 0, 0)) +
    chunk(b"IDAT", zlib.compress(bytes(16386 * 32))) + chunk(b"IEND", b""))
PYTHON
for format in webp:WebP avif:AVIF heic:HEIC; do
  run limn paint wide.png painting.png "${weights[@]}" --size 0 -o "out/a.${format%:*}"
  grep -q "no encoder" stderr && continue
  expect_refusal 2 "${format#*:} allows at most 1638" \
    limn paint wide.png painting.png "${weights[@]}" --size 0 -o "out/a.${format%:*}"
  expect_message "this picture has 16385; write .png, .jpg, .tif"
done
