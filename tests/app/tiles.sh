#!/usr/bin/env bash
# Pictures in tiles: --tile, --memory, and what keeps a picture's tiles.
. "$(dirname "$0")/expect.sh"

base=(limn paint photo.png painting.png --size 96 --seed 7)
tiled=("${base[@]}" --tile 32 --iterations 8)
expect_exit 0 "${tiled[@]}" -o a.png --report a.json
expect_message "in tiles of up to 32 x 32 pixels"
expect_json a.json 'r["tile"] == {"width": 32, "height": 32}'
expect_exit 0 "${tiled[@]}" --threads 1 -o b.png
expect_same a.png b.png
expect_exit 0 "${base[@]}" --iterations 8 -o whole.png --report whole.json
expect_json a.json \
  'abs(r["history"][0]["total"] / load("whole.json")["history"][0]["total"] - 1) < 1e-6'

# A picture is replayed in its tiles.
expect_exit 0 limn replay a.png photo.png painting.png --verify
expect_exit 0 limn info a.png
expect_output "in tiles of 32 x 32"

# So it is resumed.
"${tiled[@]}" --checkpoint a.limn --checkpoint-every 0 -o c.png >/dev/null 2>&1 &
for ((i = 0; i < 1000; ++i)); do [[ -f a.limn ]] && break; sleep 0.05; done
kill -KILL $! 2>/dev/null || true
wait $! || true
expect_exit 0 limn resume a.limn -o d.png --report d.json
expect_json d.json 'r["tile"] == {"width": 32, "height": 32}'
expect_same a.png d.png

# ---- a budget ----
large=(limn paint photo.png painting.png --size 3000 --recipe gram --optimiser adam --bands 0
  --dry-run --untimed)
expect_exit 0 "${large[@]}" --memory 100G --json
expect_json stdout 'not any("tile" in s for s in r["sizes"])'
expect_json stdout 'r["predicted_memory_bytes"] > 900 * 2**20'
expect_exit 0 "${large[@]}" --memory 900M --json
expect_json stdout 'r["predicted_memory_bytes"] <= 900 * 2**20 and "tile" in r["sizes"][-1]'
expect_exit 0 "${large[@]}" --memory 900M
expect_output "tiles of up to"
expect_refusal 4 "choose --memory" "${large[@]}" --memory 100M
expect_refusal 2 "--memory: '4X' is not a size" "${large[@]}" --memory 4X
expect_refusal 2 "--memory: '-1G' is not a size" "${large[@]}" --memory=-1G
expect_refusal 2 "--tile: is 3" "${large[@]}" --tile 3
expect_refusal 2 "style.symmetry" "${large[@]}" --tile 64 --style-symmetry left-right

# A painting stays within its budget.
expect_exit 0 limn paint photo.png painting.png --size 900 --smallest 0 --recipe gram \
  --optimiser adam --bands 0 --balance fixed --iterations 1 --memory 140M -o e.png --report e.json
expect_json e.json 'r["tile"]["width"] > 0 and r["peak_memory_bytes"] <= 140 * 2**20'
