#!/usr/bin/env bash
# Fuzzes the readers of weights files and of requests, two at a time, with libFuzzer.
#
#   tools/fuzz.sh [SECONDS for each, default 600] [READER...]
#
# Needs clang. New inputs gather in build-fuzz/found/READER, what made a reader misbehave in
# build-fuzz/crash/READER; "merge" instead of seconds gathers in build-fuzz/merged/READER the smallest
# set of files of at most 3 KB that reach as much code.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
shift || true
readers=("$@")
if [ ${#readers[@]} -eq 0 ]; then
  for folder in tests/fuzz/corpus/* tests/fuzz/requests/*; do readers+=("$(basename "$folder")"); done
fi
command -v clang++ >/dev/null || { echo "fuzz: clang++ is not here (Debian package clang)" >&2; exit 1; }

cmake -S . -B build-fuzz -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++ \
  -DLIMN_FUZZ=ON -DLIMN_SANITIZE=address,undefined >build-fuzz.log 2>&1 ||
  { cat build-fuzz.log; exit 1; }
rm build-fuzz.log
cmake --build build-fuzz --target "${readers[@]/#/fuzz_}"

run() {  # READER
  mkdir -p "build-fuzz/found/$1" "build-fuzz/crash/$1"
  if [ "$seconds" = merge ]; then
    mkdir -p "build-fuzz/merged/$1"
    "build-fuzz/tests/fuzz/fuzz_$1" -set_cover_merge=1 -max_len=3000 "build-fuzz/merged/$1" \
      tests/fuzz/*/"$1" "build-fuzz/found/$1"
  else
    "build-fuzz/tests/fuzz/fuzz_$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 \
      -malloc_limit_mb=64 -max_len=16384 -artifact_prefix="build-fuzz/crash/$1/" -print_final_stats=1 \
      "build-fuzz/found/$1" tests/fuzz/*/"$1"
  fi >"build-fuzz/$1.log" 2>&1 || { tail -n 30 "build-fuzz/$1.log"; echo "fuzz: $1 failed"; return 1; }
  echo "$1: $(grep -E 'stat::number_of_executed_units|new files with' "build-fuzz/$1.log" | tail -n 1)"
}

failed=0
for reader in "${readers[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || failed=1; done
  run "$reader" &
done
while [ "$(jobs -rp | wc -l)" -gt 0 ]; do wait -n || failed=1; done
exit $failed
