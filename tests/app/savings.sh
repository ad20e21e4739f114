#!/usr/bin/env bash
# Budgets of memory: what is saved, in which order, and that no painting takes more than it may.
. "$(dirname "$0")/expect.sh"

# Twelve iterations: they fill the history.
painting=(limn paint photo.png painting.png --size 424 --smallest 0 --recipe gram --balance fixed
  --bands 0 --iterations 12 --threads 2)

# saved: the largest size's savings, as "half_features tile half_history history".
saved='" ".join([k for k in ("half_features", "half_history", "history")
  if k in r["sizes"][-1].get("saving", {})] + [k for k in ("tile",) if k in r["sizes"][-1]])'

# Paints once with each kind of saving that smaller and smaller budgets ask for.
paint_in_less_and_less() {
  local megabytes
  kinds=""
  expect_exit 0 "${painting[@]}" "$@" --dry-run --untimed --json
  megabytes=$(json stdout 'int(1.2 * r["predicted_memory_bytes"] / 2**20)')
  for ((; megabytes > 60; megabytes -= 3)); do
    local budget=(--memory "${megabytes}M")
    "${painting[@]}" "$@" "${budget[@]}" --dry-run --untimed --json > plan.json 2> refused.txt ||
      break
    expect_json plan.json "r['predicted_memory_bytes'] <= $megabytes * 2**20"
    local kind
    kind="[$(json plan.json "$saved")]"
    [[ $kinds == *"$kind"* ]] && continue
    kinds+="$kind"
    expect_exit 0 "${painting[@]}" "$@" "${budget[@]}" -o out/a.png --report out/a.json
    expect_json out/a.json "r['peak_memory_bytes'] <= $megabytes * 2**20"
    expect_json out/a.json 'abs(r["predicted_memory_bytes"] / r["peak_memory_bytes"] - 1) < 0.1'
  done
}

expect_kinds() {
  local kind
  for kind in "$@"; do
    [[ $kinds == *"[$kind]"* ]] || complain "a budget that is met by '$kind'" "$kinds"
  done
}

paint_in_less_and_less
expect_kinds "" "half_features" "tile" "half_features half_history" \
  "half_features half_history history tile"
grep -q "choose --memory" refused.txt || complain "a refusal that names a budget" "$(< refused.txt)"

# An optimiser without a history has none to shorten.
paint_in_less_and_less --optimiser adam
expect_kinds "" "half_features" "tile"
[[ $kinds != *history* ]] || complain "no history of Adam's" "$kinds"

# The smallest budget that a refusal names is enough.
expect_exit 4 "${painting[@]}" --memory 64M -o out/b.png
least=$(grep -o -- "--memory [0-9]*M" stderr | head -1)
# shellcheck disable=SC2086
expect_exit 0 "${painting[@]}" $least -o out/b.png --report out/b.json
expect_message "half-precision features, tiles of up to"
expect_message "a half-precision history of 2 steps"
expect_json out/b.json 'r["saving"] == {"half_features": True, "half_history": True, "history": 2}'
expect_json out/b.json "r['peak_memory_bytes'] <= $(tr -dc 0-9 <<<"$least") * 2**20"

# A picture is replayed with what was saved for it, whatever the memory.
expect_exit 0 limn replay out/b.png photo.png painting.png --verify
expect_exit 0 limn info out/b.png
expect_output "with half-precision features, a half-precision history of 2 steps"
