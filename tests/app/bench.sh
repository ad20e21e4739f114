#!/usr/bin/env bash
# limn bench: the table, its JSON, and the prediction of memory beside the real peak.
. "$(dirname "$0")/expect.sh"

expect_exit 0 limn bench --size 32 --evaluations 2
expect_equal 1 "$(grep -c '^one evaluation' stdout)"
expect_equal 1 "$(grep -c '^conv5_1' stdout)"
expect_equal 1 "$(grep -c '^  losses at relu3_1' stdout)"

# ---- every layer is accounted for: the parts are no more than the whole, and most of it ----
expect_exit 0 limn bench --size 48 --evaluations 3 --json --threads 1
cp stdout bench.json
expect_json bench.json 'r["size"] == 48 and r["threads"] == 1 and len(r["seconds"]) == 3'
expect_json bench.json 'all(len(l["forward_seconds"]) == 3 for l in r["layers"])'
expect_json bench.json '0 < sum(sum(l["forward_seconds"]) + sum(l["backward_seconds"]) for l in r["layers"]) <= sum(r["seconds"])'

expect_exit 0 limn bench --size 32 --evaluations 1 --network vgg16 --no-pin
expect_exit 2 limn bench --network vgg17
expect_message "did you mean 'vgg16'"
expect_exit 2 limn bench --size 8
expect_exit 2 limn bench --evaluations 0

# ---- predicted and real peak of memory, within 10 % ----
for settings in "256 1" "512 2" "512 3" "896 2"; do
  read -r size threads <<< "$settings"
  expect_exit 0 limn bench --size "$size" --threads "$threads" --evaluations 1 --json
  cp stdout memory.json
  expect_json memory.json '0.9 < r["predicted_memory_bytes"] / r["peak_memory_bytes"] < 1.1'
done
# Of a painting too, with as many iterations as fill the optimiser's memory.
for optimiser in lbfgs adam; do
  expect_exit 0 "${paint[@]}" -o out/a.png --report out/a.json --size 768 --threads 2 \
    --optimiser "$optimiser" --history 2 --learning-rate 0.01 --iterations 3
  expect_json out/a.json '0.9 < r["predicted_memory_bytes"] / r["peak_memory_bytes"] < 1.1'
done
