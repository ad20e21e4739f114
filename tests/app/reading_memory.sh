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

# The limit is the one that the message names.
rm out/*
expect_refusal 4 "6000 x 4000 = 24000000 pixels, more than the limit of 20000000" \
  limn paint photo.png large.png --max-pixels 20000000 -o out/a.png
expect_message "--max-pixels"
expect_refusal 4 "--max-pixels" limn paint large.png photo.png --max-pixels 23999999 -o out/a.png
expect_refusal 2 "--max-pixels" limn paint photo.png large.png --max-pixels 0 -o out/a.png
expect_exit 0 limn paint photo.png large.png --size 48 --iterations 1 --max-pixels 24000000 -o out/a.png
