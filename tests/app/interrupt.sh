#!/usr/bin/env bash
# Ctrl-C: the best picture so far is written. A second one ends limn at once.
. "$(dirname "$0")/expect.sh"

# Starts a command in the background, and waits until the shell command $1 says that it paints.
start() {
  command_run="${*:2}"
  : > stderr
  set -m  # else bash starts it with SIGINT ignored
  "${@:2}" > stdout 2> stderr &
  set +m
  process=$!
  for ((tenths = 0; tenths < 400; ++tenths)); do
    ! eval "$1" || return 0
    sleep 0.1
  done
  complain "the painting to begin within 40 s" "$(< stderr)"
}
line_is_there='grep -q "^iteration 0/" stderr'

# Waits for its end, 10 seconds at most.
expect_end() {
  local waited=0
  while kill -0 $process 2> kill_message && ((waited < 100)); do
    sleep 0.1
    ((++waited))
  done
  ((waited < 100)) || { complain "an end within 10 s" "none" && kill -KILL $process; }
  exit_code=0
  wait $process || exit_code=$?
  expect_equal "$1" "$exit_code"
}

# A painting of hours, were it left alone.
long=("${paint[@]}" --iterations 1000000 --optimiser adam --learning-rate 0.001)

for signal in INT TERM; do
  start "$line_is_there" "${long[@]}" -o out/a.png --report out/a.json
  sleep 0.3
  kill -$signal $process
  expect_end 130
  expect_picture out/a.png "48 x 36 opaque"
  expect_json out/a.json 'r["outcome"] == "stopped"'
  expect_json out/a.json 'len(r["history"]) == r["history"][-1]["iteration"] + 1 < 1000000'
  expect_json out/a.json 'r["history"][r["best_iteration"]]["total"] ==
    min(h["total"] for h in r["history"])'
  expect_message "out/a.png: iteration $(json out/a.json 'r["best_iteration"]') of 1000000"
  expect_in_folder out "a.json a.png"
  rm out/*
done

# It is the best picture: fewer iterations give the same one.
start "$line_is_there" "${long[@]}" -o out/a.png --report out/a.json
kill -INT $process
expect_end 130
expect_exit 0 "${long[@]/1000000/$(json out/a.json 'r["history"][-1]["iteration"]')}" -o out/b.png
expect_same out/a.png out/b.png
rm out/*

# Quietly too.
start '[[ -f out/a-0000010.png ]]' "${long[@]}" --quiet -o out/a.png --save-every 10
kill -INT $process
expect_end 130
expect_equal "" "$(cat stdout stderr)"
expect_file out/a.png
rm out/*

# ---- the second ends it at once: nothing more is painted or written ----
# Its iterations are long enough for both signals to come within one.
size=${SANITIZE:+250}
start "$line_is_there" "${paint[@]}" --iterations 1000 --size "${size:-800}" -o out/a.png
kill -INT $process
sleep 0.02
kill -INT $process
expect_end 130  # as the shell counts death by SIGINT
expect_no_file out/a.png

