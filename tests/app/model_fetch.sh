#!/usr/bin/env bash
# limn model fetch, from a server on this machine: nothing here asks the network.
# shellcheck disable=SC2046,SC2091  # what the function fetch prints are words of a command
tests=$(realpath "$(dirname "$0")")
. "$tests/expect.sh"
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

mkdir served
cp vgg19.safetensors vgg16.safetensors vgg19.h5 served
python3 "$tests/serve_ranges.py" served port requests 2> server_errors &
server_process=$!
for ((tenths = 0; tenths < 100; ++tenths)); do [[ ! -f port ]] || break; sleep 0.1; done
server=http://127.0.0.1:$(< port)

models=$XDG_CACHE_HOME/limn/models
fetched=$models/vgg19.safetensors
partial=$fetched.part
sum=$(sha256sum vgg19.safetensors | cut -d ' ' -f 1)
bytes=$(stat -Lc %s vgg19.safetensors)

# fetch WAY: the command that fetches the weights as the server serves them this WAY.
fetch() { echo limn model fetch vgg19 --from "$server/$1/vgg19.safetensors" --sha256 "$sum"; }
start_anew() { rm -rf "$models" && : > requests; }
expect_fetched() {
  expect_equal "$fetched" "$(< stdout)"
  expect_same vgg19.safetensors "$fetched"
  expect_in_folder "$models" vgg19.safetensors
}
expect_fetch() { expect_exit "$1" $(fetch "$2") "${@:3}"; }
expect_no_fetch() { expect_refusal_after_notes 3 "$1" $(fetch "$2") "${@:3}"; }

# As expect_refusal, but with progress before the message.
expect_refusal_after_notes() {
  expect_exit "$1" "${@:3}"
  expect_message "$2"
  expect_equal 1 "$(grep -c '^limn: ' stderr)"
  expect_equal "" "$(< stdout)"
}

# ---- whole ----
expect_fetch 0 plain
expect_fetched
expect_message "fetching $server/plain/vgg19.safetensors"
expect_equal 1 "$(grep -c '^0.2 MB of 0.2 MB' stderr)"
expect_equal "/plain/vgg19.safetensors -" "$(< requests)"
expect_fetch 0 plain  # it is there: nothing is asked for
expect_fetched
expect_message "already there"
expect_equal 1 "$(wc -l < requests)"
expect_fetch 0 plain --force
expect_fetched
expect_equal 2 "$(wc -l < requests)"
expect_exit 0 limn paint photo.png painting.png --recipe tiny.toml -o out/a.png  # and found
expect_exit 0 "${paint[@]}" -o out/b.png
expect_same out/a.png out/b.png
rm out/*
for way in noranges chunked to/3; do
  start_anew
  expect_fetch 0 $way --quiet
  expect_equal "" "$(< stderr)"
  expect_fetched
done
start_anew
expect_exit 0 limn model fetch vgg19 --from "$server/plain/vgg19.safetensors?a=b.c" \
  --sha256 "${sum^^}" --quiet
expect_fetched

if command -v script > /dev/null; then
  start_anew
  expect_exit 0 script -qefc "stty cols 100; $(fetch plain)" /dev/null
  expect_output $'\r\033[K[########################] 0.2 MB of 0.2 MB'
fi
start_anew
expect_exit 0 limn model fetch vgg19 --from "$server/plain/vgg19.h5" \
  --sha256 "$(sha256sum vgg19.h5 | cut -d ' ' -f 1)"
expect_same vgg19.h5 "$models/vgg19.h5"
expect_in_folder "$models" vgg19.h5

# ---- the connection ends in the middle: the same command goes on ----
start_anew
expect_no_fetch "closed too early" half
expect_message "run the same command to resume"
expect_in_folder "$models" vgg19.safetensors.part
expect_equal $((bytes / 2)) "$(stat -c %s "$partial")"
expect_no_fetch "closed too early" half
expect_equal $((bytes / 2 + (bytes - bytes / 2) / 2)) "$(stat -c %s "$partial")"
expect_exit 0 limn model list
: > requests
had=$(stat -c %s "$partial")
expect_fetch 0 plain
expect_fetched
expect_message "fetching the rest of $server/plain/vgg19.safetensors: 0."
expect_equal "/plain/vgg19.safetensors bytes=$had-" "$(< requests)"

# ---- a rest that the server does not have, or not so ----
leave_partial() { start_anew && mkdir -p "$models" && "$@" > "$partial"; }
leave_partial head -c 5000 vgg19.safetensors
expect_fetch 0 noranges  # sends all of it
expect_fetched
expect_equal "/noranges/vgg19.safetensors bytes=5000-" "$(< requests)"
leave_partial cat vgg19.safetensors  # all of it is there: 416
expect_fetch 0 plain
expect_fetched
expect_equal 1 "$(wc -l < requests)"
leave_partial cat vgg19.safetensors vgg19.safetensors  # more than all of it: 416
expect_fetch 0 plain
expect_fetched
leave_partial head -c 5000 /dev/zero  # another file's beginning
expect_fetch 0 plain
expect_fetched
expect_message "the existing part does not match; starting over"
expect_equal $'/plain/vgg19.safetensors bytes=5000-\n/plain/vgg19.safetensors -' "$(< requests)"
leave_partial head -c 5000 vgg19.safetensors
expect_no_fetch "a different part of the file than requested" shifted
expect_equal 5000 "$(stat -c %s "$partial")"

# ---- something else ----
start_anew
expect_no_fetch "did not send the requested file (it looks like a web page)" page
expect_message ", not $sum; it was removed"
expect_in_folder "$models" ""
expect_no_fetch "the server answered HTTP 404" 404
expect_in_folder "$models" ""
expect_refusal_after_notes 3 "'$server/plain/vgg16.safetensors' sent weights for vgg16" \
  limn model fetch vgg19 --from "$server/plain/vgg16.safetensors" \
  --sha256 "$(sha256sum vgg16.safetensors | cut -d ' ' -f 1)"
expect_in_folder "$models" ""
# The published size is known: what has another is not even begun, and what was there stays.
mkdir -p "$models"
published=$models/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5
head -c 5000 /dev/zero > "$published.part"
expect_refusal_after_notes 3 "the file should have 80134624 bytes, but the server offers" \
  limn model fetch vgg19 --from "$server/page/vgg19.h5"
expect_equal 5000 "$(stat -c %s "$published.part")"
expect_exit 0 limn model list
expect_output "5000 bytes received; run 'limn model fetch vgg19' to resume"
# A server that never ends.
rm "$published.part"
expect_refusal_after_notes 3 "more than the 80134624 bytes" \
  limn model fetch vgg19 --from "$server/endless/vgg19.h5" --quiet
expect_in_folder "$models" ""
# An old file stays until the new one is right.
echo "an old file" > "$fetched"
expect_no_fetch "use --force to replace it" plain
expect_no_fetch "looks like a web page" page --force
expect_equal "an old file" "$(< "$fetched")"
expect_fetch 0 plain --force
expect_fetched

# ---- redirects ----
start_anew
expect_no_fetch "Maximum (10) redirects" to/11
expect_refusal_after_notes 3 "neither https nor, for an http address, http" \
  limn model fetch vgg19 --sha256 "$sum" \
  --from "$server/off/file%3A%2F%2F$(realpath vgg19.safetensors | sed 's,/,%2F,g')"
expect_in_folder "$models" ""

# ---- no network: a port that nobody listens at ----
closed=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
offline=(limn model fetch vgg19 --from "http://127.0.0.1:$closed/vgg19.h5")
expect_refusal_after_notes 3 "cannot fetch 'http://127.0.0.1:$closed/vgg19.h5'" "${offline[@]}"
expect_message "download it on another machine and put it here: $published"
expect_in_folder "$models" ""

# ---- a disk that is full: here a limit on the size of files ----
start_anew
# shellcheck disable=SC2016
expect_refusal_after_notes 3 "cannot write '$partial': File too large" \
  bash -c 'trap "" XFSZ; ulimit -f 100; exec "$@"' -- $(fetch plain)
expect_message "run the same command to resume"
expect_fetch 0 plain
expect_fetched
if ((EUID != 0)); then
  start_anew && mkdir -p "$models" && chmod 555 "$models"
  expect_refusal 3 "cannot write '$partial': Permission denied" $(fetch plain)
  chmod 755 "$models"
fi
start_anew && mkdir -p "$XDG_CACHE_HOME/limn" && echo > "$models"
expect_refusal 3 "'$models'" $(fetch plain)
rm "$models"

# ---- Ctrl-C keeps what has arrived, and a second limn stays away meanwhile ----
start_anew
command_run="limn model fetch, then Ctrl-C"
set -m  # else bash starts it with SIGINT ignored
$(fetch drip) > stdout 2> fetch_stderr &
set +m
process=$!
arrived=$((bytes / 4))
for ((tenths = 0; tenths < 100; ++tenths)); do
  [[ ! -f $partial ]] || (($(stat -c %s "$partial") < arrived)) || break
  sleep 0.1
done
expect_refusal 3 "another limn process is already fetching" $(fetch plain)
kill -INT $process
exit_code=0
wait $process || exit_code=$?
expect_equal 130 "$exit_code"
cp fetch_stderr stderr
expect_message "interrupted; "
expect_message "kept; run the same command to resume"
expect_in_folder "$models" vgg19.safetensors.part
kept=$(stat -c %s "$partial")
((kept >= arrived)) || complain "$arrived bytes at least" "$kept"
: > requests
expect_fetch 0 plain
expect_fetched
expect_equal "/plain/vgg19.safetensors bytes=$kept-" "$(< requests)"

# ---- flags that make no sense ----
expect_refusal 2 "'resnet'" limn model fetch resnet
expect_refusal 2 "'vgg91'" limn model fetch vgg91
expect_refusal 2 "NAME" limn model fetch
for url in ftp://127.0.0.1/a file:///etc/passwd vgg19.safetensors /etc/passwd httpx://a; do
  expect_refusal 2 "'$url' should begin with https:// or http://" \
    limn model fetch vgg19 --from "$url"
done
for digits in 12 "${sum}0" "${sum/?/x}"; do
  expect_refusal 2 "'$digits' should be 64 hexadecimal digits" \
    limn model fetch vgg19 --from "$server/plain/a" --sha256 "$digits"
done
expect_refusal 2 "--from" limn model fetch vgg19 --sha256 "$sum"

expect_equal "" "$(< server_errors)"
kill $server_process && { wait $server_process || true; }
