#!/usr/bin/env bash
# --dry-run says what would be painted, and paints nothing.
. "$(dirname "$0")/expect.sh"

expect_exit 0 limn paint photo.png painting.png --size 600 --dry-run
expect_output "photo-painting.png"
expect_no_file photo-painting.png
expect_in_folder out ""
expect_exit 0 limn paint photo.png painting.png --size 600 --iterations 90 --dry-run --json \
  -o out/a.png
expect_json stdout 'sum(s["iterations"] for s in r["sizes"]) == r["iterations"] == 90'
expect_json stdout 'max(r["sizes"][-1]["width"], r["sizes"][-1]["height"]) == 600'
expect_json stdout 'r["predicted_memory_bytes"] > 20e6 and r["predicted_seconds"] > 0.1'
expect_json stdout 'r["output"] == "out/a.png" and r["recipe"]["name"] == "limn"'
expect_in_folder out ""

# The sizes and the memory are those of the painting itself.
cp stdout plan.json
expect_exit 0 limn paint photo.png painting.png --size 64 --smallest 24 --iterations 9 --dry-run --json
cp stdout plan.json
expect_exit 0 limn paint photo.png painting.png --size 64 --smallest 24 --iterations 9 -o a.png \
  --report a.json
expect_json plan.json \
  '[(s["stage"], s["width"]) for s in r["sizes"]]
    == list(dict.fromkeys((h["stage"], h["width"]) for h in load("a.json")["history"]))'
expect_json plan.json '[s["stage"] for s in r["sizes"]] == ["paint", "paint", "finish"]'
expect_json plan.json 'r["predicted_memory_bytes"] == load("a.json")["predicted_memory_bytes"]'

# With a limit of time it is the most.
expect_exit 0 limn paint photo.png painting.png --size 2000 --seconds 3 --dry-run --json
expect_json stdout 'r["predicted_seconds"] <= 3'

# The time is not measured where nobody asks for it.
expect_exit 0 limn paint photo.png painting.png --size 600 --dry-run --json --untimed
expect_json stdout '"predicted_seconds" not in r and r["predicted_memory_bytes"] > 20e6'
expect_exit 0 limn sweep photo.png painting.png --vary size=32,64 -o s.png --dry-run --untimed
[[ $(< stdout) != *time* ]] || complain "no time" "$(< stdout)"
expect_refusal 2 "--untimed" limn paint photo.png painting.png --untimed

# Errors are those of painting.
expect_refusal 3 "'missing.png'" limn paint photo.png missing.png --dry-run
expect_refusal 2 "--json" limn paint photo.png painting.png --json

# ---- a sweep ----
sweep=(limn sweep photo.png painting.png --iterations 9 -o sheet.png)
expect_exit 0 "${sweep[@]}" --vary size=32,64 --dry-run
expect_output "paintings   2"
expect_exit 0 "${sweep[@]}" --vary size=32,64 --dry-run --json
expect_json stdout 'r["paintings"] == 2 and r["predicted_seconds"] > 0'
cp stdout both.json
expect_exit 0 limn paint photo.png painting.png --size 64 --iterations 9 --dry-run --json
expect_json both.json 'r["predicted_memory_bytes"] == load("stdout")["predicted_memory_bytes"]'
expect_no_file sheet.png
expect_refusal 2 "--json" "${sweep[@]}" --vary size=32,64 --json
