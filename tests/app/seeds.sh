#!/usr/bin/env bash
# --seed -1 draws a seed, says which, and that seed gives the same picture again.
. "$(dirname "$0")/expect.sh"

noise=("${paint[@]}" --init noise --iterations 1)
expect_exit 0 "${noise[@]}" --seed -1 -o out/a.png --report out/a.json
seed=$(json out/a.json 'r["recipe"]["picture"]["seed"]')
expect_message ", seed $seed"
expect_exit 0 "${noise[@]}" --seed "$seed" -o out/b.png
expect_same out/a.png out/b.png
expect_exit 0 "${noise[@]}" --seed=-1 -o out/b.png
expect_different out/a.png out/b.png
rm out/*
expect_refusal 2 "--seed: '-2' is not a whole number" "${noise[@]}" --seed -2 -o out/a.png
