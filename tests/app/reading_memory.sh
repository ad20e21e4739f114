#!/usr/bin/env bash
# Large files at a small size take the small size's memory, as predicted.
. "$(dirname "$0")/expect.sh"

python3 - <<'PYTHON'
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
width, height = 6000, 4000
row = b"\0" + bytes(x * y % 251 for x in range(width // 100) for y in range(100) for _ in "rgb")
pixels = zlib.compressobj(1)
body = b"".join(pixels.compress(row) for _ in range(height)) + pixels.flush()
open("large.png", "wb").write(b"\x89PNG\r\n\x1a\n" +
    chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
    chunk(b"IDAT", body) + chunk(b"IEND", b""))
PYTHON
many=(large.png large.png large.png large.png)
expect_exit 0 limn paint photo.png "${many[@]}" --size 128 --iterations 2 --threads 2 -o out/a.png \
  --report out/a.json
expect_json out/a.json 'r["peak_memory_bytes"] < 200e6'
expect_json out/a.json '0.85 < r["predicted_memory_bytes"] / r["peak_memory_bytes"] < 1.2'

# ---- 100 megapixels: a PNG, a TIFF of deflated strips, a JPEG, and a progressive one ----
python3 - <<'PYTHON'
import struct, zlib
width, height = 12000, 9000
row = bytes(x * y % 251 for x in range(width // 100) for y in range(100)) * 3
def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
pixels = zlib.compressobj(1)
body = b"".join(pixels.compress(b"\0" + row) for _ in range(height)) + pixels.flush()
open("huge.png", "wb").write(b"\x89PNG\r\n\x1a\n" +
    png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
    png_chunk(b"IDAT", body) + png_chunk(b"IEND", b""))

rows = 90
strip = zlib.compress(row * rows, 1)
strips = height // rows
short, long = 3, 4
at_bits = 8 + len(strip)
at_offsets = at_bits + 6
at_counts = at_offsets + 4 * strips
tags = [(256, long, 1, width), (257, long, 1, height), (258, short, 3, at_bits), (259, short, 1, 8),
        (262, short, 1, 2), (273, long, strips, at_offsets), (277, short, 1, 3),
        (278, long, 1, rows), (279, long, strips, at_counts)]
open("huge.tif", "wb").write(
    b"II*\0" + struct.pack("<I", at_counts + 4 * strips) + strip + struct.pack("<3H", 8, 8, 8) +
    struct.pack("<I", 8) * strips + struct.pack("<I", len(strip)) * strips +
    struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4))

def segment(marker, data):
    return struct.pack(">BBH", 0xff, marker, len(data) + 2) + data
def scan(first, last, bits):  # one component; each code of a block is a bit, and that is 0
    blocks = (width // 8) * (height // 8)
    return segment(0xda, bytes([1, 1, 0, first, last, 0])) + bytes(-(-blocks * bits // 8))
def jpeg(frame, scans):
    tables = segment(0xdb, b"\0" + b"\1" * 64)
    frame = segment(frame, struct.pack(">BHHB3B", 8, height, width, 1, 1, 0x11, 0))
    one_code = bytes([1] + [0] * 15 + [0])  # of one bit, for the symbol 0
    codes = segment(0xc4, b"\x00" + one_code) + segment(0xc4, b"\x10" + one_code)
    return b"\xff\xd8" + tables + frame + codes + b"".join(scans) + b"\xff\xd9"
open("huge.jpg", "wb").write(jpeg(0xc0, [scan(0, 63, 2)]))
open("progressive.jpg", "wb").write(jpeg(0xc2, [scan(0, 0, 1), scan(1, 63, 1)]))
PYTHON
small=(--size 64 --iterations 1 --threads 2)
for photo in huge.png huge.tif huge.jpg; do
  expect_exit 0 limn paint $photo painting.png "${small[@]}" --memory 130M -o out/a.png \
    --report out/a.json
  expect_json out/a.json 'r["peak_memory_bytes"] < 110e6'
  expect_json out/a.json '0.85 < r["predicted_memory_bytes"] / r["peak_memory_bytes"] < 1.25'
  expect_picture out/a.png "64 x 48"
done
# All of this one's coefficients are kept, 216 MB of them.
rm out/*
expect_refusal 4 "reading 'progressive.jpg' needs about" \
  limn paint progressive.jpg painting.png "${small[@]}" --memory 200M -o out/a.png
expect_message "a JPEG that is not progressive"
expect_exit 0 limn paint progressive.jpg painting.png "${small[@]}" --memory 400M -o out/a.png \
  --report out/a.json
expect_json out/a.json '216e6 < r["peak_memory_bytes"] < 400 * 2**20'
expect_json out/a.json '0.85 < r["predicted_memory_bytes"] / r["peak_memory_bytes"] < 1.2'

# ---- writing: pictures on the way come on top ----
saving=(limn paint photo.png painting.png --size 1200 --smallest 0 --recipe gram --optimiser adam
  --bands 0 --balance fixed --iterations 1 --tile 128)
for besides in "" "--save-every 1"; do
  # shellcheck disable=SC2086
  expect_exit 0 "${saving[@]}" $besides -o out/b.jpg --report out/b.json
  expect_json out/b.json '0.85 < r["predicted_memory_bytes"] / r["peak_memory_bytes"] < 1.2'
done

# The limit is the one that the message names.
rm out/*
expect_refusal 4 "6000 x 4000 = 24000000 pixels, more than the limit of 20000000" \
  limn paint photo.png large.png --max-pixels 20000000 -o out/a.png
expect_message "--max-pixels"
expect_refusal 4 "--max-pixels" limn paint large.png photo.png --max-pixels 23999999 -o out/a.png
expect_refusal 2 "--max-pixels" limn paint photo.png large.png --max-pixels 0 -o out/a.png
expect_exit 0 limn paint photo.png large.png --size 48 --iterations 1 --max-pixels 24000000 \
  -o out/a.png
