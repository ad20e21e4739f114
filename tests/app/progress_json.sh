#!/usr/bin/env bash
# --progress json: whatever limn has to say is an object on a line of its own.
. "$(dirname "$0")/expect.sh"

# expect_lines EXPRESSION: true of the lines of standard error, all of them JSON, in which e(...) are
# those of one kind of event.
expect_lines() {
  local found
  found=$(python3 - "$1" 2>&1 <<'PYTHON'
import json, sys
lines = [json.loads(line) for line in open("stderr", encoding="utf-8")]
def e(kind): return [line for line in lines if line["event"] == kind]
print(eval("(" + sys.argv[1] + ")"))
PYTHON
  ) || true
  [[ $found == True ]] || complain "$1" "$found: $(< stderr)"
}

expect_exit 0 "${paint[@]}" -o out/a.png --progress json
expect_equal "" "$(< stdout)"
expect_lines 'e("note")[0]["message"].startswith("painting 48 x 36 pixels with recipe")'
expect_lines '[p["iteration"] for p in e("progress")][::len(e("progress")) - 1] == [0, 2]'
expect_lines 'all(p["iterations"] == 2 and p["width"] == 48 and p["height"] == 36
  and p["stage"] == "" for p in e("progress"))'
expect_lines 'all(set(p["losses"]) == {"total", "content", "style", "total_variation"}
  for p in e("progress"))'
expect_lines 'e("progress")[0]["done"] == 0 and e("progress")[0]["seconds_left"] is None'
expect_lines 'e("progress")[-1]["done"] == 1 and e("progress")[-1]["seconds_left"] == 0'
expect_lines 'lines[-1] == e("result")[0] and lines[-1]["output"] == "out/a.png"
  and lines[-1]["outcome"] == "finished" and lines[-1]["iteration"] == 2'

# The recipe's stages are named.
expect_exit 0 limn paint photo.png painting.png --size 32 --iterations 4 -o out/a.png \
  --progress json
expect_lines 'e("progress")[0]["stage"] != ""'

# A sweep says which painting it is at.
expect_exit 0 limn sweep photo.png painting.png "${weights[@]}" --vary strength=0.2,0.4 \
  --balance measured -o out/s.png --progress json
expect_lines '{(p["painting"], p["paintings"]) for p in e("progress")} == {(1, 2), (2, 2)}'
expect_lines 'lines[-1]["event"] == "result" and lines[-1]["output"] == "out/s.png"'

# What was continued, and what was painted again.
expect_exit 0 "${paint[@]}" -o out/a.png --checkpoint out/a.limn --quiet
expect_exit 0 limn resume out/a.limn --iterations 3 --progress json
expect_lines 'lines[-1]["event"] == "result" and lines[-1]["iterations"] == 3'
expect_exit 0 limn replay out/a.png photo.png painting.png --weights vgg19.safetensors \
  -o out/b.png --progress json
expect_lines 'lines[-1]["event"] == "result" and lines[-1]["output"] == "out/b.png"'
rm out/*

# Warnings too, and names with odd bytes.
mkdir out/a-0002.png
run "${paint[@]}" -o out/a.png --iterations 4 --save-every 2 --progress json
expect_equal 3 "$exit_code"
expect_lines 'e("warning")[0]["message"].endswith("; painting continues")'
rm -r out/*
odd=$'out/\xff".png'
expect_exit 0 "${paint[@]}" -o "$odd" --progress json
expect_lines 'lines[-1]["event"] == "result"'
rm out/*

# Errors, those of the command line among them, with the exit code.
for wrong in "missing.png painting.png" "photo.png painting.png --sise 3" "photo.png"; do
  # shellcheck disable=SC2086
  run limn paint $wrong "${weights[@]}" -o out/a.png --progress=json
  expect_lines "len(lines) == 1 and e('error')[0]['exit_code'] == $exit_code >= 2"
  expect_lines 'not lines[0]["message"].startswith("limn: ")'
done

# Ctrl-C: the result is the best picture so far.
"${paint[@]}" --iterations 1000000 --optimiser adam --learning-rate 0.001 -o out/a.png \
  --progress json 2> stderr &
process=$!
for ((tenths = 0; tenths < 300; ++tenths)); do
  ! grep -q '"iteration":0,' stderr || break
  sleep 0.1
done
kill -TERM $process
exit_code=0
wait $process || exit_code=$?
expect_equal 130 "$exit_code"
expect_lines 'lines[-1]["event"] == "result" and lines[-1]["outcome"] == "stopped"'
expect_lines 'all(0 <= p["done"] <= 1 for p in e("progress"))'
