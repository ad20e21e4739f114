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

# The analysis reads how each file is compiled from the release build. Kernels are left out: they are
# compiled once for each SIMD target through themselves, which clang-tidy cannot follow.
[ -f build/compile_commands.json ] || cmake --preset release >/dev/null
cmake --build build --target help >/dev/null
mapfile -t analysed < <(git ls-files 'src/*.cc' 'app/*.cc' ':!src/kernels/*')
printf '%s\n' "${analysed[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy -p build --quiet 2>/dev/null
echo "format and analysis: ${#sources[@]} files are clean"
