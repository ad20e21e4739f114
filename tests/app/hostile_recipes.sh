#!/usr/bin/env bash
# Recipe files that are none, or say what makes no sense.
. "$(dirname "$0")/expect.sh"

# refused CODE MESSAGE: the recipe bad.toml, which standard input may have to be written to first.
refused() {
  expect_refusal "$1" "$2" limn paint photo.png painting.png --weights vgg19.safetensors \
    --recipe "${3:-bad.toml}" -o out/a.png
}
# says TEXT MESSAGE: a recipe with this text.
says() {
  printf '%b' "$1" > bad.toml
  refused 2 "$2"
}

# ---- no such file, no such kind of file ----
refused 3 "'missing.toml'" missing.toml
refused 3 "'./missing'" ./missing
mkdir folder.toml
refused 3 "'folder.toml' is a folder" folder.toml
mkfifo pipe.toml
refused 3 "'pipe.toml': nobody writes to this pipe" pipe.toml
refused 3 "'/dev/zero' is not a regular file" /dev/zero
cp photo.png picture.toml
refused 2 "picture.toml, line 1: " picture.toml
cp vgg19.safetensors weights.toml
refused 2 "weights.toml, line 1: " weights.toml
head -c 2000000 /dev/zero | tr '\0' '#' > bad.toml
refused 3 "'bad.toml' has 2000000 bytes, more than the 1048576"

# ---- not TOML ----
says '[content\nweight = 1\n' "bad.toml, line 1: "
says '[content]\n\nweight 1\n' "bad.toml, line 3: "
says '[content]\nweight = 1\nweight = 2\n' "bad.toml, line 3: "
says 'name = "\\xff' "bad.toml, line 1: "
says '\xff\xfe\x00' "bad.toml, line 1: "

# ---- keys ----
says '[content]\nwieght = 1\n' \
  "bad.toml, line 2, content.wieght: unknown key; did you mean 'content.weight'?"
says '[contnet]\nweight = 1\n' "bad.toml, line 1, contnet: unknown key"
says 'size = 5\n' "bad.toml, line 1, size: unknown key"
says 'content = 1\n' "bad.toml, line 1, content: should be a section, [content]"
says '[[content]]\nweight = 1\n' "bad.toml, line 1, content: should be a section, [content]"

# ---- values ----
says '[content]\nweight = "1"\n' "bad.toml, line 2, content.weight: should be a number"
says '[content]\nweight = -1\n' "content.weight: is -1, but should be at least 0"
says '[content]\nweight = nan\n' "content.weight: nan is not a finite number"
says '[content]\nform = "avg"\n' \
  "bad.toml, line 2, content.form: 'avg' is not one of 'sum', 'half-sum', 'mean', 'root'"
says '[content]\nlayers = [1]\n' "bad.toml, line 2, content.layers: should be a table"
says '[content]\nlayers = { relu1_2 = "a" }\n' \
  "bad.toml, line 2, content.layers.relu1_2: should be a number"
says '[content]\nlayers = { relu7_7 = 1 }\n' "no layer 'relu7_7'"
says '[optimiser]\niterations = 1.5\n' \
  "bad.toml, line 2, optimiser.iterations: should be a whole number"
says '[optimiser]\niterations = 99999999999\n' "optimiser.iterations: 99999999999 is out of range"
says '[optimiser]\nclip = 1\n' "bad.toml, line 2, optimiser.clip: should be true or false"
says '[picture]\nseed = -1\n' "bad.toml, line 2, picture.seed: -1 is out of range"
says '[style]\nshifts = 1\n' "bad.toml, line 2, style.shifts: should be a list of numbers"
says '[style]\nshifts = [1.5]\n' "bad.toml, line 2, style.shifts: should be a whole number"
says '[style]\nblend = [1, -1]\n' "bad.toml, line 2, style.blend: is -1, but should be at least 0"
says '[style]\nscale = []\n' "style.scale"
says '[balance]\nstrength = 2\n' "bad.toml, line 2, balance.strength: is 2, but should be 0 to 1"
says 'name = 1\n' "bad.toml, line 1, name: should be a string"
says '[network]\nname = "resnet50"\n' "resnet50"

# ---- nested deeper than any recipe ----
repeated() { head -c "$1" /dev/zero | sed "s/\x00/$2/g"; }
{ printf 'a = ' && repeated 500000 '['; } > bad.toml
refused 2 "bad.toml, line 1: "
{ printf 'a = ' && repeated 200000 '{a='; } > bad.toml
refused 2 "bad.toml, line 1: "
{ repeated 400000 'a.' && echo 'a = 1'; } > bad.toml
refused 2 "bad.toml: has more than 2000 dots"
{ printf '[' && repeated 400000 'a.' && echo 'a]'; } > bad.toml
refused 2 "bad.toml: has more than 2000 dots"
{ printf '[content]\nlayers = {' && repeated 400000 'a.' && echo 'a = 1}'; } > bad.toml
refused 2 "bad.toml: has more than 2000 dots"
