#!/usr/bin/env bash
# limn worker: its flags, and how it begins and ends. What it does with jobs: tests/work.
. "$(dirname "$0")/expect.sh"

limn --help | grep -q '^  worker' || skip "this limn is built without the job server"

worker=(limn worker --store out/jobs.db --data out)

# Begins, and ends when it is asked to.
for signal in TERM INT; do
  "${worker[@]}" --name first > stdout 2> stderr &
  process=$!
  for ((tenths = 0; tenths < 100; ++tenths)); do
    ! grep -q "worker 'first': 1 painter, " stderr || break
    sleep 0.1
  done
  # No other worker may have its name meanwhile.
  cp stderr first
  run "${worker[@]}" --name first
  expect_equal 3 "$exit_code"
  expect_message "a worker called 'first' is running with this folder; give this one another --name"
  cp first stderr
  kill -$signal $process
  exit_code=0
  wait $process || exit_code=$?
  expect_equal 0 "$exit_code"
done
rm -r out/*

# What it does not take.
refused() {
  run "${worker[@]}" "${@:3}"
  expect_equal "$1" "$exit_code"
  expect_message "$2"
}
expect_refusal 2 "--store is required" limn worker --data out
expect_refusal 2 "--data is required" limn worker --store out/jobs.db
for memory in 0 -1 many 8Q G; do
  refused 2 "--memory: '$memory' is not a size; write 512M or 8G" --memory=$memory
done
for painters in 0 -1 1001; do
  refused 2 "--painters: is $painters, but should be 1 to 1000" --painters=$painters
done
refused 2 "--name: '../x' cannot name a worker" --name ../x
refused 2 "--grace: is -1, but should be 0 to 1e9 seconds" --grace=-1
refused 2 "--beat: is nan" --beat=nan
refused 2 "--lease: 5 seconds are too few for beats every 2 seconds" --lease 5
refused 2 "'--paint'" --paint 3
run limn worker --store nowhere/jobs.db --data out
[[ $exit_code == 3 || $exit_code == 4 ]] || complain "code 3 or 4" "$exit_code"
expect_message "nowhere/jobs.db"
