#!/usr/bin/env bash
# Compares what liblimn.so shows to programs with abi.txt beside this file, which says what to do
# where they differ.   abi.sh LIBRARY SOURCE [--write]
set -euo pipefail
library=$1 source=$2
list=$(dirname "$0")/abi.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

symbols() {
  nm --dynamic --defined-only --demangle "$library" | cut -d' ' -f3- | sort -u
}

# "size 1336 limn::Recipe", by the compiler's own account.
sizes() {
  printf '#include <limn/limn.h>\n#include <limn/ranks.h>\n#include <limn/tasks.h>\n' > "$work/headers.cc"
  (cd "$work" && g++ -std=c++20 -I "$source/include" -fdump-lang-class -c headers.cc -o headers.o)
  awk '$1 == "Class" { name = $2 }
       $1 ~ /^size=/ && name ~ /^limn::[A-Za-z:]+$/ { print "size " substr($1, 6) " " name; name = "" }' \
    "$work"/headers.cc.*.class | sort -k3 -u
}

export LC_ALL=C
symbols > "$work/now"
# Sizes are a matter of machine, compiler and standard library.
if [[ $(uname -m) == x86_64 ]] && command -v g++ > /dev/null; then
  sizes >> "$work/now"
  sed '/^#/d' "$list" > "$work/listed"
else
  echo "no g++ on x86-64 here: only symbols are compared, no sizes"
  sed -e '/^#/d' -e '/^size /d' "$list" > "$work/listed"
fi

if [[ ${3-} == --write ]]; then
  { grep '^#' "$list"; cat "$work/now"; } > "$work/list"
  cp "$work/list" "$list"
elif ! diff --unified=0 --label abi.txt "$work/listed" --label "$library" "$work/now"; then
  echo "liblimn.so shows something else than tests/install/abi.txt lists, which says what to do"
  exit 1
fi
