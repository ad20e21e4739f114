#!/usr/bin/env bash
# Builds the Debian packages limn, liblimnN, liblimn-dev and python3-limn into build/deb, by
# debhelper:
#
#   packaging/deb.sh
#
# build/deb/limn is the folder in which debhelper works: with packaging/debian in it, completed by
# what is said once elsewhere (dependencies in packages.txt, numbers in CMakeLists.txt), and with the
# objects, so that a second time takes seconds. Looked over by lintian where it is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
source=$PWD
packages=$PWD/build/deb

version=$(sed -n 's/^project(limn VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
abi=$(sed -n 's/^set(LIMN_ABI \([0-9]*\))/\1/p' CMakeLists.txt)
packaged=$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)
if [ "$packaged" != "$version" ]; then
  echo "deb: CMakeLists.txt has version $version, but packaging/debian/changelog $packaged;" \
    "add an entry there" >&2
  exit 2
fi

mkdir -p "$packages/limn"
cd "$packages/limn"
rm -rf debian ../*.deb
cp -r "$source/packaging/debian" debian
dependencies=$(for section in build python; do "$source/tools/setup.sh" --list $section; done |
  paste -sd, | sed 's/,/, /g')
sed "s/@build@/$dependencies/; s/@abi@/$abi/g" debian/control.in > debian/control
mv debian/liblimn.install "debian/liblimn$abi.install"
rm debian/control.in
dpkg-buildpackage --build=binary --no-sign --no-pre-clean > ../build.log 2>&1 ||
  { tail -n 50 ../build.log; exit 1; }

cd ..
if command -v lintian > /dev/null; then
  lintian --fail-on error,warning ./*.changes
else
  echo "deb: lintian is not here, so nothing looked these packages over"
fi
du -h "$packages"/*.deb
