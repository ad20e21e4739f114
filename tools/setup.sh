#!/usr/bin/env bash
# Installs the Debian packages of the given sections of packages.txt that are not there yet.
#
#   tools/setup.sh build test
#   tools/setup.sh --list build    says which they are, and installs nothing
#   tools/setup.sh axe         axe-core into build/axe, for the test page/axe: not in Debian, so by npm;
#                              without npm or a network it says so, and that test is skipped
#
# Needs root or sudo only if something is missing; asks the network only then.
set -euo pipefail
cd "$(dirname "$0")/.."

packages_of() {  # SECTION
  sed -n "/^\[$1\]\$/,/^\[/p" packages.txt | grep -v -e '^\[' -e '^#' -e '^$'
}

if [ "${1-}" = --list ]; then
  packages_of "$2"
  exit 0
fi

installed() {  # PACKAGE
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

axe_core=4.14.1
get_axe() {
  local folder=build/axe
  [ ! -f $folder/node_modules/axe-core/axe.min.js ] || return 0
  if ! command -v npm >/dev/null; then
    echo "setup: npm is not here, so axe-core is not either; the test page/axe will be skipped"
    return 0
  fi
  mkdir -p $folder
  npm install --prefix $folder --no-audit --no-fund --no-save --ignore-scripts --silent \
    axe-core@$axe_core || echo "setup: npm could not get axe-core; the test page/axe will be skipped"
}

missing=()
for section in "$@"; do
  [ "$section" != axe ] || { get_axe; continue; }
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
