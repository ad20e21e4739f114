#!/usr/bin/env bash
# Installs the Debian packages of the given sections of packages.txt that are not there yet.
#
#   tools/setup.sh build test
#
# Needs root or sudo only if something is missing; asks the network only then.
set -euo pipefail
cd "$(dirname "$0")/.."

packages_of() {  # SECTION
  sed -n "/^\[$1\]\$/,/^\[/p" packages.txt | grep -v -e '^\[' -e '^#' -e '^$'
}

installed() {  # PACKAGE
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for section in "$@"; do
  packages=$(packages_of "$section") || { echo "setup: packages.txt has no section [$section]" >&2; exit 2; }
  for package in $packages; do
    installed "$package" || missing+=("$package")
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "Installing: ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "setup: apt-get is not here; install what these Debian packages hold: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: run this as root, or install sudo" >&2; exit 1; }
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
