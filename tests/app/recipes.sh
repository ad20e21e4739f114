#!/usr/bin/env bash
# limn recipes, and --recipe with a name and with a file.
. "$(dirname "$0")/expect.sh"

# ---- the list: "limn" first, each with a line on what it is for ----
expect_exit 0 limn recipes
cp stdout list
expect_equal limn "$(head -n 1 list | cut -d ' ' -f 1)"
while read -r name summary; do
  [[ -n $summary ]] || complain "a summary of recipe $name" "none"
done < list

# ---- each of them as printed paints what it paints by name ----
# Layers, because the weights here end early; steps so small that no method runs away.
few=(--network vgg19 --content-layers relu1_2 --style-layers relu1_1 --neighbours-layers relu1_1
  --transport-layers relu1_1 --structure-layers relu1_1 --iterations 2 --size 48)
by=(limn paint photo.png painting.png --weights vgg19.safetensors "${few[@]}")
for name in $(cut -d ' ' -f 1 list); do
  expect_exit 0 limn recipes show "$name"
  cp stdout mine.toml
  expect_exit 0 "${by[@]}" --recipe "$name" -o out/name.png --report out/name.json
  expect_exit 0 "${by[@]}" --recipe mine.toml -o out/file.png --report out/file.json
  expect_same out/name.png out/file.png
  expect_json out/file.json 'settings(r) == settings(load("out/name.json"))'
  expect_json out/file.json "r['recipe']['name'] == '$name'"
done

# No --recipe is the recipe limn.
expect_exit 0 "${by[@]}" --recipe limn -o out/limn.png --report out/limn.json
expect_exit 0 "${by[@]}" -o out/none.png
expect_same out/limn.png out/none.png

# ---- a file's settings are taken, flags go before them, the rest is neutral ----
cat > mine.toml <<'TOML'
[content]
weight = 0.25
layers = { relu1_2 = 1, conv1_1 = 0.5 }  # whole numbers serve too
[style]
layers = { relu1_1 = 2 }
[optimiser]
iterations = 3
clip = true
[picture]
size = 40
seed = 9_007_199_254_740_991
TOML
expect_exit 0 limn paint photo.png painting.png --weights vgg19.safetensors --recipe ./mine.toml \
  --iterations 1 --style-layers conv1_1 -o out/mine.png --report out/mine.json
expect_picture out/mine.png "40 x 30"
expect_json out/mine.json 'settings(r)["content.weight"] == 0.25'
expect_json out/mine.json 'settings(r)["content.layers"] == {"conv1_1": 0.5, "relu1_2": 1}'
expect_json out/mine.json 'settings(r)["style.layers"] == {"conv1_1": 1}'
expect_json out/mine.json 'settings(r)["optimiser.iterations"] == 1'
expect_json out/mine.json 'settings(r)["optimiser.clip"] is True'
expect_json out/mine.json 'settings(r)["picture.seed"] == 9_007_199_254_740_991'
for key in style.form content.form optimiser.kind optimiser.history; do
  expect_json out/mine.json "settings(r)['$key'] == settings(load('out/limn.json'))['$key']"
done
expect_json out/mine.json 'settings(r)["balance.kind"] == "fixed"'
expect_json out/mine.json 'settings(r)["pyramid.smallest"] == 0 == settings(r)["optimiser.seconds"]'
expect_json out/mine.json 'settings(r)["style.scale"] == [1] and settings(r)["style.blend"] == []'

# ---- lists of numbers ----
cat > lists.toml <<'TOML'
[style]
layers = { relu1_1 = 1 }
shifts = [1, 2]
blend = [3, 1]
scale = [1, 0.5]
[content]
layers = { relu1_2 = 1 }
[pyramid]
bands = [0, 0.5]
TOML
expect_exit 0 limn paint photo.png red.png blue.png --weights vgg19.safetensors --size 48 \
  --recipe lists.toml --iterations 1 -o out/lists.png --report out/lists.json
expect_json out/lists.json '[settings(r)[key] for key in ("style.shifts", "style.blend",
  "style.scale", "pyramid.bands")] == [[1, 2], [3, 1], [1, 0.5], [0, 0.5]]'

# A file is what ends in .toml or holds a slash.
cp tiny.toml tiny
expect_exit 0 limn paint photo.png painting.png --weights vgg19.safetensors --recipe ./tiny \
  -o out/a.png

# ---- unknown names ----
rm -r out && mkdir out
unknown="there is no recipe 'limm'; did you mean 'limn'?"
expect_refusal 2 "$unknown" limn recipes show limm
expect_refusal 2 "$unknown" "${by[@]}" --recipe limm -o out/a.png
expect_refusal 2 "known recipes: limn" limn recipes show xyzzy
expect_refusal 2 "NAME" limn recipes show
expect_refusal 2 "'show'" limn recipes sow
