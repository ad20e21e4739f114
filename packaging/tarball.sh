#!/usr/bin/env bash
# Builds build/tarball/limn-VERSION-MACHINE.tar.xz: limn with every library that it loads, except
# those of glibc. It runs from any folder of a Linux whose glibc is at least as new as this one's.
#
#   packaging/tarball.sh
#
# bin/limn finds the libraries by an RPATH, which (unlike a RUNPATH) they follow too. Their licences
# are beside them, in share/doc/limn/licences.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/build/tarball
version=$(sed -n 's/^project(limn VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
name=limn-$version-$(uname -m)
tree=$work/$name

# Without MPI, which is nothing without the launcher and the settings of the machine.
cmake -S . -B "$work/objects" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLIMN_BUILD_TESTS=OFF \
  -DLIMN_UNITY=ON -DLIMN_MPI=OFF -DLIMN_BUILD_PYTHON=OFF -DCMAKE_INSTALL_LIBDIR=lib \
  "-DCMAKE_INSTALL_RPATH=\$ORIGIN/../lib" -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags \
  > "$work.log"
cmake --build "$work/objects" -j "$(nproc)" >> "$work.log"
rm -rf "$tree"
cmake --install "$work/objects" --prefix "$tree" --strip >> "$work.log"
# The library is for programs that are built where they run, the service for a place that is known.
rm -r "$tree/include" "${tree:?}/lib"
mkdir -p "$tree/lib" "$tree/share/doc/limn/licences"
cp README.md LICENSE CHANGELOG.md "$tree/share/doc/limn"

# The package that a file is of, whichever of its names that knows (/lib is /usr/lib).
package_of() {
  local path
  for path in "$1" "$(realpath "$1")" "/usr$(realpath "$1")"; do
    dpkg-query -S "$path" 2> /dev/null | cut -d: -f1 | head -n 1 | grep . && return
  done
  echo "tarball: no package has '$1', so its licence is not known" >&2
  return 1
}

while read -r library path; do
  package=$(package_of "$path")
  [ "$package" != libc6 ] || continue
  cp -L "$path" "$tree/lib/$library"
  cp -L "/usr/share/doc/$package/copyright" "$tree/share/doc/limn/licences/$package"
done < <(ldd "$work/objects/limn" | awk '$3 ~ /^\// { print $1, $3 }')
# What these refer to.
grep -oh '/usr/share/common-licenses/[A-Za-z]*-[0-9.]*[0-9]' "$tree"/share/doc/limn/licences/* |
  sort -u | while read -r licence; do
  [ ! -e "$licence" ] || cp -L "$licence" "$tree/share/doc/limn/licences"
done

archive=$work/$name.tar.xz
rm -f "$work"/*.tar.xz
tar --directory "$work" --sort=name --owner=0 --group=0 --numeric-owner -cJf "$archive" "$name"
glibc=$(objdump -T "$tree/bin/limn" "$tree"/lib/* | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
echo "$archive: $(du -h "$archive" | cut -f1), unpacked $(du -sh "$tree" | cut -f1)," \
  "$(find "$tree/lib" -type f | wc -l) libraries; needs glibc ${glibc#GLIBC_}"
