#!/usr/bin/env bash
# Whether two builds of limn paint the same pictures, to the byte: every recipe and every control,
# at a size that takes a second or so. For changes that are to change no picture.
#
#   tools/same_pictures.sh OLD/limn build/limn [--vgg19 FILE] [--size 128] [--only WORD]
#
# Prints the cases that differ, with their losses, and how many are the same. Exits 1 if any differs.
set -euo pipefail
cd "$(dirname "$0")/.."

old=$1 new=$2
shift 2
vgg19="" size=128 only=""
while (($# > 0)); do
  case $1 in
    --vgg19) vgg19=$2 ;;
    --size) size=$2 ;;
    --only) only=$2 ;;
    *) echo "same_pictures: unknown flag '$1'" >&2; exit 2 ;;
  esac
  shift 2
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
photo=examples/photos/landscape.jpg
oil=examples/paintings/oil.jpg
ink=examples/paintings/ink_wash.jpg
cubist=examples/paintings/cubist.jpg
python3 - "$folder" <<'PY'
import struct, sys, zlib
# Masks, as grey PNGs: the left half, soft at its edge, and a square.
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def write(name, value, width=64, height=48):
    rows = b"".join(bytes([0] + [value(x, y) for x in range(width)]) for y in range(height))
    with open(f"{sys.argv[1]}/{name}.png", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
write("left", lambda x, y: max(0, min(255, (36 - x) * 32)))
write("square", lambda x, y: 255 if 20 < x < 44 and 12 < y < 36 else 0)
PY

# paints BINARY OUTPUT ARGUMENT...: the losses of the last iteration.
paints() {
  "$1" paint "${@:3}" -o "$2" --bits 16 --quiet --report "$2.json" $metadata || return 1
  python3 -c "import json, sys; print(json.load(open(sys.argv[1]))['history'][-1])" "$2.json"
}

same=0 other=0
# case NAME ARGUMENT...
compare() {
  local name=$1
  shift
  [[ -z $only || $name == *"$only"* ]] || return 0
  local before after
  metadata="" before=$(paints "$old" "$folder/old.png" "$@")
  metadata=$no_metadata after=$(paints "$new" "$folder/new.png" "$@")
  if cmp -s "$folder/old.png" "$folder/new.png"; then
    same=$((same + 1))
  else
    other=$((other + 1))
    printf 'differs: %s\n  before: %s\n  after:  %s\n' "$name" "$before" "$after"
  fi
}

# Pictures carry what they were painted from, a version among it, where a build can leave it out.
no_metadata=$("$new" paint --help | grep -o -- '--no-metadata' | head -1 || true)
small=(--size "$size" --iterations 12)

paint() { compare "$1" "$photo" "$oil" "${small[@]}" "${@:2}"; }
for each in examples/photos/*.jpg; do
  for painting in examples/paintings/*.jpg; do
    compare "$(basename "$each" .jpg) as $(basename "$painting" .jpg)" "$each" "$painting" \
      "${small[@]}"
  done
done
paint "two sizes" --smallest 48
paint "one size" --smallest 0
compare "odd sides" "$photo" "$oil" --size $((size + 13)) --iterations 12
for threads in 1 2 3; do paint "$threads threads" --threads $threads; done
paint "strength" --strength 0.9
paint "fixed weights" --balance fixed --style-weight 1e-3
paint "colours of the photo" --colors content
paint "matched colours" --colors matched
paint "recoloured" --colors palette
paint "no border" --border 0
paint "from noise" --init noise --noise-share 1 --seed 7
paint "from uniform noise" --init noise --noise uniform
paint "from standard noise" --init noise --noise standard --space network
paint "from a picture" --init "$cubist"
paint "no bands" --bands ""
paint "one curvature" --curvature one
paint "line search" --line-search strong-wolfe
paint "restarts" --restart-every 5
paint "adam" --optimiser adam --learning-rate 0.02
paint "adam, uncorrected" --optimiser adam --learning-rate 0.02 --epsilon-form uncorrected
paint "gradient descent" --optimiser sgd --learning-rate 1e-3
paint "clipped" --clip true
paint "total variation" --tv-weight 0.1
paint "absolute variation" --tv-weight 0.1 --tv-form absolute
paint "power of variation" --tv-weight 0.1 --tv-form power
paint "variation alone" --tv-weight 1 --content-weight 0 --style-weight 0
paint "no content" --content-weight 0
paint "no style" --style-weight 0 --init noise
paint "covariance" --style-statistic covariance
paint "means and deviations" --style-statistic mean-deviation
if [[ $("$old" paint --help) == *--style-every* ]]; then paint "sliced" --style-statistic sliced; fi
paint "shifts" --style-shifts 1,3
paint "half features" --half-features true
paint "last picture" --keep last
paint "looks" --look-every 3
paint "raw matrices" --style-gram raw --style-form paper
paint "style scale" --style-scale 0.5
paint "stretched" --painting-size stretched
paint "own size" --painting-size own --style-scale 0.2
paint "kept" --mask-keep "$folder/square.png"
paint "kept, with colours of the photo" --mask-keep "$folder/square.png" --colors content
paint "painting's mask" --mask-style "$folder/left.png"
paint "weights times 1e9" --balance fixed --content-weight 1e9 --style-weight 1e6
compare "blend" "$photo" "$oil" "$ink" "${small[@]}" --blend 0.3,0.7
compare "folder" "$photo" examples/paintings "${small[@]}"
compare "regions" "$photo" "$oil" "$ink" "${small[@]}" --mask-content "$folder/left.png"
compare "regions, shifts, covariance" "$photo" "$oil" "$ink" "${small[@]}" \
  --mask-content "$folder/left.png" --style-shifts 2 --style-statistic covariance
compare "three styles" "$photo" "$oil" "$ink" "$cubist" "${small[@]}" \
  --mask-content "$folder/left.png" --mask-content "$folder/square.png" \
  --mask-style none --mask-style "$folder/left.png"
if [[ -n $vgg19 ]]; then
  for recipe in gatys hundred-lines keras limn pytorch tensorflow; do
    vgg() {
      compare "VGG-19, $1" "$photo" "$oil" --network vgg19 --recipe "$recipe" --weights "$vgg19" --size "$size" \
        --iterations 4 "${@:2}"
    }
    vgg "$recipe"
    vgg "$recipe, regions" --mask-style "$folder/left.png"
  done
fi

echo "$same pictures the same, $other other"
((other == 0))
