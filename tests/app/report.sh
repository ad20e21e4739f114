#!/usr/bin/env bash
# limn paint --report: the JSON that tells how a picture came about.
. "$(dirname "$0")/expect.sh"

expect_exit 0 "${paint[@]}" -o out/a.png --report out/a.json --iterations 6 --tv-weight 0.25 \
  --init noise --seed 3 --threads 2 --size 40

# ---- what it holds ----
expect_json out/a.json 'list(r) == ["limn", "instruction_set", "photo", "paintings", "output",
  "weights", "network", "recipe", "width", "height", "outcome", "iteration", "best_iteration",
  "rejected_steps", "seconds", "peak_memory_bytes", "predicted_memory_bytes", "history"]'
expect_exit 0 limn --version
expect_equal "limn $(json out/a.json 'r["limn"]')" "$(< stdout)"
expect_json out/a.json 'r["photo"] == "photo.png" and r["paintings"] == ["painting.png"]'
expect_json out/a.json 'r["output"] == "out/a.png" and r["weights"] == "vgg19.safetensors"'
expect_json out/a.json 'r["network"] == "vgg19" and r["outcome"] == "finished"'
expect_json out/a.json '(r["width"], r["height"]) == (40, 30)'
expect_json out/a.json '1e6 < r["peak_memory_bytes"] < 1e11'
expect_json out/a.json 'r["rejected_steps"] == 0'

# ---- settings repeat the flags and the recipe ----
expect_json out/a.json 'r["recipe"]["name"] == "tiny"'
expect_json out/a.json 'settings(r)["optimiser.iterations"] == 6'
expect_json out/a.json 'settings(r)["total_variation.weight"] == 0.25'
expect_json out/a.json 'settings(r)["picture.init"] == "noise" and settings(r)["picture.seed"] == 3'
expect_json out/a.json 'settings(r)["picture.threads"] == 2 and settings(r)["picture.size"] == 40'
expect_json out/a.json 'settings(r)["content.layers"] == {"relu1_2": 1}'

# ---- the history ----
expect_json out/a.json '[h["iteration"] for h in r["history"]] == list(range(7))'
expect_json out/a.json 'all(list(h) == ["iteration", "seconds", "width", "height", "content",
  "style", "total_variation", "total"] for h in r["history"])'
expect_json out/a.json 'all(h["total"] == h["content"] + h["style"] + h["total_variation"]
  for h in r["history"])'
expect_json out/a.json 'all(h[term] > 0 for h in r["history"]
  for term in ("content", "style", "total_variation"))'
expect_json out/a.json 'r["history"][0]["seconds"] > 0 and all(a["seconds"] <= b["seconds"]
  for a, b in zip(r["history"], r["history"][1:] + [r]))'
expect_json out/a.json 'r["history"][r["best_iteration"]]["total"] ==
  min(h["total"] for h in r["history"])'
expect_json out/a.json 'r["history"][-1]["total"] < r["history"][0]["total"]'

expect_json out/a.json 'all((h["width"], h["height"]) == (40, 30) for h in r["history"])'

# ---- several sizes: iterations go on from one to the next ----
expect_exit 0 "${paint[@]}" -o out/b.png --report out/b.json --smallest 24 --size 96 \
  --iterations 7
expect_json out/b.json '[(h["width"], h["height"]) for h in r["history"]] ==
  sorted((h["width"], h["height"]) for h in r["history"])'
expect_json out/b.json 'sorted({h["width"] for h in r["history"]}) == [24, 48, 96]'
expect_json out/b.json '[h["iteration"] for h in r["history"]] == list(range(8))'

# ---- several paintings, and masks ----
expect_exit 0 limn paint photo.png red.png blue.png "${weights[@]}" -o out/b.png \
  --report out/b.json --mask-content left.png --mask-content right.png --mask-style none \
  --mask-style left.png --mask-keep right.png
expect_json out/b.json 'r["paintings"] == ["red.png", "blue.png"] and r["masks"] ==
  {"content": ["left.png", "right.png"], "style": ["none", "left.png"], "keep": "right.png"}'

# ---- other ends ----
# Nothing to do: the photo's own content. (unpainted.sh)
expect_exit 2 "${paint[@]}" -o out/b.png --report out/b.json --style-weight 0
expect_json out/b.json 'r["outcome"] == "converged" and len(r["history"]) == 1'
expect_json out/b.json 'r["history"][0]["total"] == 0'
expect_exit 0 "${paint[@]}" -o out/b.png --report out/b.json --iterations 0
expect_json out/b.json 'r["outcome"] == "finished" and len(r["history"]) == 1'
expect_json out/b.json 'r["best_iteration"] == 0'
# Steps far too long are taken back: the picture is still the best one seen.
expect_exit 0 "${paint[@]}" -o out/b.png --report out/b.json --iterations 8 --optimiser sgd \
  --learning-rate 1e6
expect_json out/b.json 'r["rejected_steps"] > 0'
expect_json out/b.json 'r["history"][r["best_iteration"]]["total"] ==
  min(h["total"] for h in r["history"])'

# ---- a name of any bytes still makes JSON ----
odd=$'a "b" \\ \xff\tc.png'
cp photo.png "$odd"
expect_exit 0 limn paint "$odd" painting.png "${weights[@]}" -o out/b.png --report out/odd.json
expect_json out/odd.json 'r["photo"].startswith("a \"b\" \\ ") and r["photo"].endswith("\tc.png")'

# ---- a layer that is named twice would stand there once ----
rm -r out && mkdir out
expect_refusal 2 "relu1_1" "${paint[@]}" -o out/c.png --style-layers relu1_1:1,relu1_1:2
