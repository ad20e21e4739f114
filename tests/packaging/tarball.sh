#!/usr/bin/env bash
# Unpacks limn's tarball in clean roots, of this Debian and of the next, which have none of its
# libraries, and paints there.
#
#   tests/packaging/tarball.sh FILE.tar.xz [SUITE...]
. "$(dirname "$0")/clean_root.sh"
source=$(cd "$(dirname "$0")/../.." && pwd)
archive=$(realpath "$1")
suites=("${@:2}")
((${#suites[@]})) || suites=(bookworm trixie)

for suite in "${suites[@]}"; do
  make_root "$suite" essential
  mkdir "$root/tmp/given"
  cp "$source"/examples/photos/landscape.jpg "$source"/examples/paintings/oil.jpg "$root/tmp/given"
  tar --directory "$root/tmp/home" --no-same-owner -xf "$archive"
  mv "$root"/tmp/home/limn-* "$root/tmp/home/moved here"
  limn="/tmp/home/moved here/bin/limn"

  # Libraries come from the tarball, but for those of glibc, whose files are all there.
  strangers=$(in_root ldd "$limn" | grep -v -e '/tmp/home/' -e linux-vdso -e /ld-linux \
    -e '^[[:space:]]*lib\(c\|m\|dl\|rt\|pthread\|resolv\|mvec\)\.so' || true)
  [[ -z $strangers ]] || failed "in $suite limn loads: $strangers"
  chown -R 65534:65534 "$root/tmp/home"
  in_root -u "$limn" --version
  for format in png jpg webp tif; do
    in_root -u "$limn" paint /tmp/given/landscape.jpg /tmp/given/oil.jpg \
      -o "/tmp/home/out.$format" --size 128 --iterations 5 --quiet
  done
  in_root -u timeout -s INT 5 "$limn" serve --port 0 > "$root/tmp/served" 2> /dev/null || true
  grep -q '/?token=' "$root/tmp/served" || failed "limn serve gave no link: $(< "$root/tmp/served")"
  echo "runs on a clean Debian $suite"
  remove_root
done
