# What the tests in this folder are written with; each sources it first:
#
#   expect_exit 0 "${paint[@]}" -o out.png --size 24     # run a command, look at its exit code,
#   expect_message "painting 24 x 18"                    # then at what it wrote to standard error
#
# A test runs in a folder of its own, in which lie the pictures and weights of make_inputs.cc, the
# recipe tiny.toml, with which a painting takes milliseconds, and an empty folder out/. A check that
# fails prints what was run, what was expected and what came; the test then goes on and fails at its
# end. To run one by hand: ctest --test-dir build -R app/ -V
set -euo pipefail

test_folder=$(mktemp -d "${TEST_FOLDER:?run it by ctest}/$(basename "$0" .sh).XXXXXX")
cd "$test_folder"
chmod 755 .
ln -s "$TEST_FOLDER"/inputs/* .
mkdir out
PATH=$(dirname "${LIMN:?}"):/usr/bin:$PATH
export XDG_CACHE_HOME=$test_folder/cache  # not that of whoever runs the test
most_seconds=120  # for a command that hangs; a machine with other work is no fault of limn's
export ASAN_OPTIONS=detect_leaks=0  # libx265 keeps a kilobyte
cat > tiny.toml <<'TOML'
name = "tiny"
[network]
name = "vgg19"
pooling = "max"
[content]
weight = 1
layers = { relu1_2 = 1 }
form = "mean"
[style]
weight = 0.0001
layers = { relu1_1 = 1 }
gram = "per-position"
form = "mean"
[total_variation]
weight = 0
[optimiser]
kind = "lbfgs"
iterations = 2
space = "rgb"
clip = false
learning_rate = 1
history = 10
line_search = "none"
[picture]
size = 48
init = "content"
threads = 1
[neighbours]
layers = { relu1_1 = 1.0 }
[transport]
layers = { relu1_1 = 1.0 }
[structure]
layers = { relu1_1 = 1.0 }
TOML

weights=(--recipe tiny.toml --weights vgg19.safetensors)
# shellcheck disable=SC2034
paint=(limn paint photo.png painting.png "${weights[@]}")
# shellcheck disable=SC2034
evaluate=(limn evaluate photo.png painting.png)

failures=0
command_run="(nothing yet)"

finish() {
  local code=$?
  ((code == 0)) || echo "FAILED: the script ended with code $code after: $command_run"
  jobs -p | xargs -r kill -KILL 2>/dev/null || true  # those that have not ended by themselves
  rm -rf "$test_folder"
  ((code == 0 && failures == 0)) || exit 1
}
trap finish EXIT

# complain EXPECTED CAME
complain() {
  printf 'FAILED %s line %s\n  ran:      %s\n  expected: %s\n  came:     %s\n' \
    "$(basename "$0")" "${BASH_LINENO[-2]}" "$command_run" "$1" "$2"
  ((++failures))
}

# Runs a command; stdout and stderr hold what it said, $exit_code how it ended. 124: it took longer
# than 20 seconds. Above 128: a signal ended it.
run() {
  command_run="$*"
  exit_code=0
  timeout "$most_seconds" "$@" > stdout 2> stderr < /dev/null || exit_code=$?
}

expect_exit() {
  local expected=$1
  run "${@:2}"
  [[ $exit_code == "$expected" ]] || complain "exit code $expected" "$exit_code; $(< stderr)"
}

# In what the last command wrote to standard error, or to standard output.
expect_message() { grep -qF -e "$1" stderr || complain "the message '$1'" "$(< stderr)"; }
expect_output() { grep -qF -e "$1" stdout || complain "the output '$1'" "$(< stdout)"; }

expect_equal() { [[ $1 == "$2" ]] || complain "$1" "$2"; }
expect_file() { [[ -f $1 ]] || complain "a file $1" "none"; }
expect_no_file() { [[ ! -e $1 ]] || complain "no file $1" "one is there"; }
# Of PNGs without what they say of how they were made.
same_bytes() {
  cmp -s "$1" "$2" && return
  [[ $1 == *.png && $2 == *.png ]] || return 1
  python3 - "$1" "$2" <<'PY'
import sys
def without_texts(name):
    data = open(name, "rb").read()
    kept, at = [data[:8]], 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at:at + 4], "big")
        if data[at + 4:at + 8] not in (b"zTXt", b"iTXt", b"tEXt"):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)
sys.exit(without_texts(sys.argv[1]) != without_texts(sys.argv[2]))
PY
}
expect_same() { same_bytes "$1" "$2" || complain "the same bytes in $1 and $2" "others"; }
expect_different() { ! same_bytes "$1" "$2" || complain "other bytes in $1 than in $2" "the same"; }

# expect_in_folder FOLDER NAMES: all that it holds, hidden files too.
expect_in_folder() {
  local names
  names=$(find "$1" -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')
  expect_equal "$2" "${names% }"
}

# The command fails as limn should: with this exit code and no other; with one message, which begins
# with "limn: " and contains the text; before painting anything; and with nothing left in out/.
expect_refusal() {
  local expected=$1 text=$2 message left
  run "${@:3}"
  IFS= read -rd '' message < stderr || true
  left=$(echo out/* out/.[!.]*)
  if [[ $exit_code != "$expected" ]]; then
    complain "exit code $expected" "$exit_code; $message"
  elif [[ $message != *"$text"* ]]; then
    complain "the message '$text'" "$message"
  elif [[ $message != "limn: "* || $message == *$'\n'"limn: "* ]]; then
    complain "one message that begins with 'limn: ', and nothing before it" "$message"
  elif [[ -s stdout ]]; then
    complain "nothing on standard output" "$(< stdout)"
  elif [[ $left != "out/* out/.[!.]*" ]]; then
    complain "nothing in out/" "$left"
  fi
  [[ $left == "out/* out/.[!.]*" ]] || { rm -rf out && mkdir out; }
}

# What limn reads from a picture: "48 x 36 opaque, colour 0.502".
expect_picture() {
  local found
  found=$("${DESCRIBE_PICTURE:?}" "$1" 2>&1) || true
  [[ $found == *"$2"* ]] || complain "$1 to be '$2'" "$found"
}

# measure FILE MASK [OTHER]: measured.json then says what describe_picture.cc finds inside the mask
# and outside it: "red", "green", "blue", "spread", and "difference" and "largest" from OTHER.
measure() {
  "${DESCRIBE_PICTURE:?}" --json "$@" > measured.json 2> trouble ||
    complain "$1 to be measured" "$(< trouble)"
}

# json FILE EXPRESSION: what the Python expression gives, in which r is the file's value, load("x")
# that of another file, and settings(r) those in a report: {"content.weight": 1.0, ...}.
json() {
  python3 - "$@" <<'PYTHON'
import json, math, sys
def no_json(name): raise ValueError(name + " is not JSON")
def load(path): return json.load(open(path, encoding="utf-8"), parse_constant=no_json)
def settings(report):
    return {f"{section}.{key}": value for section, keys in report["recipe"].items()
            if isinstance(keys, dict) for key, value in keys.items()}
r = load(sys.argv[1])
print(eval("(" + sys.argv[2] + ")"))
PYTHON
}

# expect_json FILE EXPRESSION: it is true.
expect_json() {
  local found
  found=$(json "$1" "$2" 2>&1) || true
  [[ $found == True ]] || complain "$1: $2" "$found"
}

# Ends the test as skipped: CMakeLists.txt knows the code.
skip() {
  echo "skipped: $1"
  rm -rf "$test_folder"
  trap - EXIT
  exit 77
}
