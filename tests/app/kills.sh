#!/usr/bin/env bash
# A painting that is killed at any moment, the writing of its checkpoint included, goes on to the
# same picture.
. "$(dirname "$0")/expect.sh"

# Checkpoints as often as there are iterations: many of the kills fall into the writing of one.
small=(--size 40 --smallest 20 --iterations 24 --plateau 0 --threads 1 --bits 16)
kept=(--checkpoint a.limn --checkpoint-every 0)
expect_exit 0 limn paint photo.png painting.png "${small[@]}" -o whole.png

# How long one takes, in milliseconds.
before=$(date +%s%3N)
expect_exit 0 limn paint photo.png painting.png "${small[@]}" "${kept[@]}" -o kept.png
took=$(($(date +%s%3N) - before))
expect_same whole.png kept.png

RANDOM=17
resumed=0
for kill in {1..100}; do
  rm -f a.limn picture.png
  limn paint photo.png painting.png "${small[@]}" "${kept[@]}" -o picture.png 2> /dev/null &
  painting=$!
  wait_ms=$((took * (RANDOM % 1000) / 1000))
  sleep "$((wait_ms / 1000)).$(printf '%03d' $((wait_ms % 1000)))"
  { kill -KILL $painting || true; } 2> /dev/null  # which may be done
  wait $painting 2> /dev/null || true
  rm -f .limn-*  # what a killed process was writing
  if [[ -e a.limn ]]; then
    resumed=$((resumed + 1))
    run limn resume a.limn -o picture.png --quiet
  else
    run limn paint photo.png painting.png "${small[@]}" -o picture.png --quiet
  fi
  [[ $exit_code == 0 ]] || complain "kill $kill: exit code 0" "$exit_code; $(< stderr)"
  cmp -s whole.png picture.png || complain "kill $kill: the same picture" "another"
done
((resumed >= 10)) || complain "at least 10 kills after the first checkpoint" "$resumed"
