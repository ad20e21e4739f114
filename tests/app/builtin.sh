#!/usr/bin/env bash
# The network inside limn: what it paints without any file, and how others are chosen instead.
. "$(dirname "$0")/expect.sh"

small=(--size 48 --iterations 2 --threads 1)

# ---- two pictures are all that is needed ----
expect_exit 0 limn paint photo.png painting.png "${small[@]}" -o out/a.png --report out/a.json
expect_picture out/a.png "48 x 36 opaque"
expect_json out/a.json 'r["network"] == "builtin" == r["weights"] == r["recipe"]["network"]["name"]'
expect_json out/a.json 'r["history"][-1]["total"] < r["history"][0]["total"]'
expect_no_file "$XDG_CACHE_HOME"  # nothing is fetched, nothing looked for
for asked in "--network builtin" "--weights builtin" "--recipe limn"; do
  # shellcheck disable=SC2086
  expect_exit 0 limn paint photo.png painting.png "${small[@]}" $asked -o out/b.png
  expect_same out/a.png out/b.png
done
for threads in 2 3; do
  expect_exit 0 limn paint photo.png painting.png --size 48 --iterations 2 --threads "$threads" \
    -o out/b.png
  expect_same out/a.png out/b.png
done
expect_exit 0 limn evaluate photo.png painting.png out/a.png --json
cp stdout evaluation.json
expect_json evaluation.json 'r["content"] > 0 and r["style"] > 0'
expect_exit 0 limn sweep photo.png painting.png "${small[@]}" --vary style.weight=1e-5,1e-3 \
  -o out/sheet.png --report out/sweep.json
expect_json out/sweep.json 'r["network"] == "builtin" and len(r["painted"]) == 2'
rm -r out && mkdir out

# ---- as a file it is the same network ----
expect_exit 0 limn paint photo.png painting.png "${small[@]}" -o here.png
expect_exit 0 limn model convert builtin -o copy.safetensors
expect_exit 0 limn paint photo.png painting.png "${small[@]}" --weights copy.safetensors \
  -o out/a.png --report out/a.json
expect_same here.png out/a.png
expect_json out/a.json 'r["weights"] == "copy.safetensors" and r["network"] == "builtin"'
expect_exit 0 limn model convert copy.safetensors -o again.safetensors
expect_same copy.safetensors again.safetensors
rm -r out && mkdir out

# ---- another network: that of the weights that are given, or the one that is named ----
few=(--content-layers relu1_2 --style-layers relu1_1 --neighbours-layers relu1_1)
expect_exit 0 limn paint photo.png painting.png "${small[@]}" "${few[@]}" -o out/a.png \
  --weights vgg16.safetensors --report out/a.json
expect_json out/a.json 'r["network"] == "vgg16" == r["recipe"]["network"]["name"]'
expect_exit 0 limn sweep photo.png painting.png "${small[@]}" "${few[@]}" -o out/sheet.png \
  --weights vgg19.safetensors --vary style.weight=1e-5,1e-3 --report out/b.json
expect_json out/b.json 'r["network"] == "vgg19" == r["recipe"]["network"]["name"]'
rm -r out && mkdir out
expect_refusal 2 "none are in the cache; run 'limn model fetch vgg19'" \
  limn paint photo.png painting.png --network vgg19 -o out/a.png
expect_refusal 2 "none are in the cache; run 'limn model fetch vgg19'" \
  limn paint photo.png painting.png --recipe keras -o out/a.png
expect_refusal 2 "the weights in 'vgg19.safetensors' are for vgg19" \
  limn paint photo.png painting.png --network builtin --weights vgg19.safetensors -o out/a.png
expect_refusal 2 "'tiny' is for vgg19, but the weights in 'builtin' are for builtin" \
  limn paint photo.png painting.png --recipe tiny.toml --weights builtin -o out/a.png

# ---- what it does not imitate ----
expect_refusal 2 "'builtin' has no layer 'conv4_2'; it imitates only relu1_1, relu2_1," \
  limn paint photo.png painting.png --content-layers conv4_2 -o out/a.png
expect_refusal 2 "--network vgg19" \
  limn paint photo.png painting.png --style-layers relu3_3 -o out/a.png
expect_refusal 2 "trained with max pooling" \
  limn paint photo.png painting.png --pooling average -o out/a.png
expect_refusal 2 "needs at least" limn paint photo.png painting.png --size 15 -o out/a.png

# ---- limn model ----
expect_exit 0 limn model info builtin
for line in "file        builtin" "network     builtin" "widths      " "imitates    VGG-19: relu1_1" \
  "training    steps" "attribution Imitates VGG-19" "licence     CC-BY-4.0" "relu4_2's R"; do
  expect_output "$line"
done
expect_exit 0 limn model info builtin --json
cp stdout info.json
expect_json info.json 'r["network"] == "builtin" and r["complete"] and r["parameters"] > 0'
expect_json info.json '[t["layer"] for t in r["student"]["taps"]] ==
  ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"]'
expect_json info.json '[t["teacher_channels"] for t in r["student"]["taps"]] ==
  [64, 128, 256, 512, 512, 512]'
expect_json info.json 'len(r["student"]["widths"]) == 5 and r["student"]["training"]["steps"] > 0'
expect_exit 0 limn model info copy.safetensors --json
cp stdout copy.json
expect_json copy.json 'r["student"] == load("info.json")["student"]'
expect_exit 0 limn model list
expect_output "builtin "
expect_refusal 2 "'builtin' is built into limn; there is nothing to fetch" limn model fetch builtin

# ---- limn bench ----
expect_exit 0 limn bench --network builtin --size 32 --evaluations 1 --json
cp stdout bench.json
expect_json bench.json 'r["network"] == "builtin"'
expect_exit 0 limn bench --weights copy.safetensors --size 32 --evaluations 1 --json
cp stdout bench.json
expect_json bench.json 'r["network"] == "builtin"'
expect_refusal 2 "--network" limn bench --weights copy.safetensors --network vgg19

# ---- predicted and real peak of memory, within 10 % ----
for settings in "256 1" "512 2" "896 3"; do
  read -r size threads <<< "$settings"
  expect_exit 0 limn bench --network builtin --size "$size" --threads "$threads" \
    --evaluations 1 --json
  cp stdout memory.json
  expect_json memory.json '0.9 < r["predicted_memory_bytes"] / r["peak_memory_bytes"] < 1.1'
done
expect_exit 0 limn paint photo.png painting.png -o out/a.png --report out/a.json --size 768 \
  --threads 2 --history 2 --iterations 3
expect_json out/a.json '0.9 < r["predicted_memory_bytes"] / r["peak_memory_bytes"] < 1.1'
expect_exit 0 limn paint photo.png painting.png -o out/a.png --report out/a.json --recipe gram \
  --size 640 --threads 2 --history 2 --iterations 3 --smallest 0 --line-search none \
  --style-statistic sliced
expect_json out/a.json '0.9 < r["predicted_memory_bytes"] / r["peak_memory_bytes"] < 1.1'
