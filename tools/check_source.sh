#!/usr/bin/env bash
# Format and static analysis of all sources, by .clang-format and .clang-tidy.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t sources < <(git ls-files '*.h' '*.cc')
clang-format --dry-run --Werror "${sources[@]}"

# Python has no formatter here; its lines are as long as C++'s.
mapfile -t python < <(git ls-files '*.py')
awk 'length > 100 { print FILENAME ":" FNR ": " length " columns"; long = 1 } END { exit long }' \
  "${python[@]}"

# The analysis takes a folder's files as one (cmake/unity.cmake): nearly all its time goes on the
# headers that they share. Kernels are left out: they are compiled once for each SIMD target through
# themselves, which clang-tidy cannot follow.
cmake --preset release -B build/check -DLIMN_UNITY=ON -DLIMN_BUILD_TESTS=OFF >/dev/null
analyse() { xargs -P "$(nproc)" -n 1 clang-tidy -p build/check --quiet "$@" 2>/dev/null; }
sed -n 's/^ *"file": "\(.*\)".*/\1/p' build/check/compile_commands.json |
  grep -v -e /src/kernels/ -e /unity_kernels_ -e generated |
  analyse --checks=-bugprone-suspicious-include  # of the .cc files that such a one is made of

# Two checks look at nothing that is included: each file that could be in want of them by itself.
mapfile -t alone < <(git ls-files 'src/*.cc' 'app/*.cc' ':!src/kernels/*' |
  xargs grep -lE '^ *(using [A-Za-z_:]+::[A-Za-z_]+;|namespace \w+ = )')
cmake --preset release -B build/check -DLIMN_UNITY=OFF >/dev/null
printf '%s\n' "${alone[@]}" | analyse --checks='-*,misc-unused-using-decls,misc-unused-alias-decls'
echo "format and analysis: ${#sources[@]} files are clean"
