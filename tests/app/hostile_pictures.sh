#!/usr/bin/env bash
# Photos, paintings and first pictures that cannot be read: code 3 and a message that names them.
. "$(dirname "$0")/expect.sh"

echo "not a picture" > text.jpg
: > empty.png
head -c 3000 photo.png > cut.png
head -c 3000 photo.jpg > cut.jpg
head -c 20 photo.png > head.png
{ head -c 5000 photo.png && head -c 500 /dev/zero && tail -c +5501 photo.png; } > damaged.png
mkdir folder.png

for bad in missing.png text.jpg empty.png cut.png cut.jpg head.png damaged.png folder.png \
  vgg19.safetensors /dev/zero /dev/null ""; do
  expect_refusal 3 "'$bad'" limn paint "$bad" painting.png "${weights[@]}" -o out/a.png
  expect_refusal 3 "'$bad'" limn paint photo.png "$bad" "${weights[@]}" -o out/a.png
  expect_refusal 3 "'$bad'" "${paint[@]}" --init "$bad" -o out/a.png
done

refused() { expect_refusal 3 "$2" limn paint "$1" painting.png "${weights[@]}" -o out/a.png; }
refused missing.png "there is no picture 'missing.png'"
refused text.jpg "it is not a picture in a known format; limn reads JPEG, PNG"
refused empty.png "the file is empty"
refused cut.png "damaged or incomplete"
refused cut.jpg "damaged or incomplete"
refused damaged.png "damaged or incomplete"
refused folder.png "is a folder"
refused /dev/urandom "it is not a picture in a known format"

# Nobody writes to the pipe: limn does not wait for ever.
mkfifo pipe.png
refused pipe.png "nothing has opened this pipe for writing"

# A header that promises 60000 x 60000 pixels: too large, found before memory is taken for them.
python3 - <<'PYTHON'
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
open("bomb.png", "wb").write(b"\x89PNG\r\n\x1a\n" +
    chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) +
    chunk(b"IDAT", zlib.compress(bytes(1000000))) + chunk(b"IEND", b""))
PYTHON
expect_refusal 4 "'bomb.png' is 60000 x 60000" \
  limn paint bomb.png painting.png "${weights[@]}" -o out/a.png
