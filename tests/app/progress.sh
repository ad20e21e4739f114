#!/usr/bin/env bash
# What is seen while limn paints: lines where there is no terminal, a bar where there is one.
. "$(dirname "$0")/expect.sh"

# ---- lines ----
expect_exit 0 "${paint[@]}" -o out/a.png --tv-weight 0.5
expect_message "painting 48 x 36 pixels with recipe 'tiny'"
expect_message "iteration 0/2: loss "
expect_message "iteration 2/2: loss "
for part in "(content " ", style " ", variation " " it/s, " "0:00 left"; do
  expect_message "$part"
done
expect_message "out/a.png: iteration 2 of 2, "
expect_message "'painting.png' is only 40 x 40 pixels and is enlarged to 48 x 48"
expect_message "; try --style-scale 0.83"
expect_equal 5 "$(wc -l < stderr)"
[[ $(tr -d '[:print:]\n' < stderr | wc -c) == 0 ]] ||
  complain "plain lines: no carriage return, no escape code" "$(od -c stderr | head)"
expect_equal "" "$(< stdout)"

# A painting that is large enough is worth no word.
expect_exit 0 "${paint[@]}" -o out/a.png --style-scale 0.83
expect_equal 4 "$(wc -l < stderr)"
expect_exit 0 limn paint photo.png painting.png red.png "${weights[@]}" -o out/a.png \
  --style-scale 2,0.5
expect_message "'painting.png' is only 40 x 40 pixels and is enlarged to 96 x 96"
expect_message "; try --style-scale 0.83,0.5"

# A pyramid's sizes are told until the result's is reached; iterations go on from one to the next.
expect_exit 0 "${paint[@]}" -o out/a.png --smallest 24 --iterations 3
expect_message "painting 48 x 36 pixels with recipe 'tiny'"
expect_message "iteration 0/3 at 24 x 18: loss "
expect_message "iteration 3/3: loss "

# ---- nothing ----
for nothing in --quiet "--progress none" "--quiet --progress none"; do
  # shellcheck disable=SC2086
  expect_exit 0 "${paint[@]}" -o out/a.png $nothing
  expect_equal "" "$(cat stdout stderr)"
done

# ---- as asked for, whatever standard error is ----
expect_exit 0 "${paint[@]}" -o out/a.png --progress lines
expect_message "iteration 2/2: loss "
expect_exit 0 "${paint[@]}" -o out/a.png --progress bar
expect_message "[########################] 2/2  "
rm out/*
expect_refusal 2 "--progress: 'loud' is not one of bar, lines, json, none" \
  "${paint[@]}" -o out/a.png --progress loud
expect_refusal 2 "--quiet: shows no progress, but --progress bar was given" \
  "${paint[@]}" -o out/a.png --progress bar --quiet

# ---- a bar ----
command -v script > /dev/null || {
  echo "the bar was not tested: there is no 'script' (util-linux) to lend a terminal"
  exit 0
}
# on_terminal COLUMNS CODE COMMAND...
on_terminal() { expect_exit "$2" script -qefc "stty cols $1; ${*:3}" /dev/null; }

# So many iterations that the bar is drawn between the first and the last one too.
iterations=300
on_terminal 100 0 "${paint[@]}" -o out/a.png --iterations $iterations --style-scale 0.83
cp stdout bar
redraw=$'\r\033[K'
expect_output "painting 48 x 36 pixels with recipe 'tiny'"
expect_output "${redraw}[------------------------] 0/$iterations  loss "
expect_output "${redraw}[########################] $iterations/$iterations  "
grep -qE '\[#+-+\] [0-9]+/[0-9]+  [0-9.]+ it/s, [0-9]+:[0-9]{2} left  loss ' bar ||
  complain "iterations per second and the time left" "$(tr '\r' '\n' < bar | tail -n 3)"
expect_output $'\r\nout/a.png: iteration '  # on a line of its own, after the bar
longest=$(tr '\r' '\n' < bar | sed 's/\x1b\[K//g' | wc -L)
((longest < 100)) || complain "no line as long as the terminal is wide" "$longest characters"

# A narrow one, and one that does not say how wide it is.
for columns in 20 1 0; do
  on_terminal $columns 0 "${paint[@]}" -o out/a.png
  expect_output "out/a.png: iteration 2 of 2"
done

# An error on a terminal is the same line as elsewhere.
on_terminal 80 3 limn paint missing.png painting.png "${weights[@]}" -o out/b.png
expect_equal $'limn: there is no picture \'missing.png\'\r' "$(head -n 1 stdout)"
