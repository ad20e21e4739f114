#!/usr/bin/env bash
# Every path that every command takes, with what may lie behind a path: no way leads to an internal
# error or a signal, each failure has a message, and what was given stays as it was.
. "$(dirname "$0")/expect.sh"

# As root every folder may be entered: then another user runs limn.
chmod 777 . out
user=()
((EUID != 0)) || user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
closed_paths=(closed/a.png secret.png)
locked_paths=(locked/a.png)
if ! "${user[@]}" "$LIMN" --version > stdout 2>&1 || ! "${user[@]}" test -r photo.png; then
  user=()
  closed_paths=()
  locked_paths=()
  echo "folders without permission were not tested: the user 'nobody' cannot run limn here"
fi

# ---- what is given, and what is odd ----
mkdir given odd folder closed locked
cp photo.png painting.png left.png vgg19.safetensors tiny.toml given
chmod -R a+rwX given  # so that it is limn that keeps it
cp photo.png secret.png && chmod 000 secret.png
cp photo.png closed/a.png && chmod 000 closed
cp photo.png locked/a.png && chmod 555 locked
mkfifo fifo
ln -s loop loop
ln -s nowhere/a.png dangling
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
long=$(printf '%0256d' 0)
odd_names=($'odd/new\nline, quo\'te", per%cent {} brack[ets][3] \xff\xfe .png' '-dash.png')
for name in "${odd_names[@]}"; do cp left.png "./$name"; done
chmod 777 odd odd/* folder
paths=("" - /dev/stdin /dev/null /dev/zero /proc/self/mem fifo socket loop dangling "$long"
  "$(printf 'a/%.0s' {1..2500})a.png"
  folder given/photo.png/x.png "${odd_names[@]}" "${closed_paths[@]}")
places=(/dev/full folder/ loop/a.png ./-dash.png given/photo.png
  "${locked_paths[@]}")  # as well, for what is written

# ---- every argument that is a path: what it is, and the command, in which @ stands for it ----
with="--weights given/vgg19.safetensors --recipe given/tiny.toml --iterations 1"
pictures="given/photo.png given/painting.png"
commands=(
  "picture paint @ given/painting.png $with -o out/a.png"
  "painting paint given/photo.png @ $with -o out/a.png"
  "painting paint $pictures @ $with -o out/a.png"
  "picture paint $pictures $with -o out/a.png --mask-content @"
  "picture paint $pictures $with -o out/a.png --mask-style @"
  "picture paint $pictures $with -o out/a.png --mask-keep @"
  "picture paint $pictures $with -o out/a.png --init @"
  "weights paint $pictures --recipe given/tiny.toml -o out/a.png --weights @"
  "recipe paint $pictures --weights given/vgg19.safetensors -o out/a.png --recipe @"
  "output paint $pictures $with -o @"
  "output paint $pictures $with -o @ --save-every 1"
  "report paint $pictures $with -o out/a.png --report @"
  "output sweep $pictures $with --vary seed=1,2 -o @"
  "animation sweep $pictures $with --vary seed=1,2 -o out/a.png --animation @"
  "report sweep $pictures $with --vary seed=1,2 -o out/a.png --report @"
  "initial sweep $pictures $with -o out/a.png --vary init=content;@"
  "picture evaluate @ given/painting.png given/photo.png ${with% --iterations 1}"
  "picture evaluate given/photo.png @ given/photo.png ${with% --iterations 1}"
  "picture evaluate $pictures @ ${with% --iterations 1}"
  "weights model info @"
  "weights model convert @ -o out/a.safetensors"
  "other model convert given/vgg19.safetensors -o @"
  "other recipes show @"
  "weights bench --size 16 --evaluations 1 --weights @"
)

# The exit code of an argument of this kind, where it is known.
expected() {
  case "$1 $2" in
    picture\ odd/* | painting\ odd/* | output\ odd/* | report\ odd/*) echo 0 ;;
    "output folder" | "output folder/" | "output ./-dash.png" | "report ./-dash.png") echo 0 ;;
    *" given/photo.png") echo 2 ;;
    weights\ odd/* | "output locked/"* | "report locked/"*) echo 3 ;;
    "picture folder" | "painting folder" | "weights folder" | "report folder") echo 3 ;;
    *" given/photo.png/x.png" | *" loop/a.png" | *" closed/a.png")
      [[ $1 == other || $1 == animation ]] || echo 3 ;;
    *" loop" | *" secret.png" | *" socket" | *" /dev/zero" | *" /proc/self/mem")
      case $1 in picture | painting | weights | initial) echo 3 ;; esac ;;
  esac
}

# attempt COMMAND PATH FILE: what limn says is then in FILE.said, its exit code in FILE.code.
attempt() {
  local words=() word code=0
  read -ra words <<< "$1"
  for word in "${!words[@]}"; do words[word]=${words[word]//@/"$2"}; done
  timeout "$most_seconds" "${user[@]}" limn "${words[@]}" > /dev/null 2> "$3.said" < /dev/null || code=$?
  echo "$code" > "$3.code"
}

# judge KIND PATH FILE
judge() {
  local said code expected
  IFS= read -rd '' -n 300 said < "$3.said" || true
  code=$(< "$3.code")
  expected=$(expected "$1" "$2")
  if ((code == 1 || code > 4)); then
    complain "a message, and a code from 2 to 4" "$code; $said"
  elif [[ -n $expected && $code != "$expected" ]]; then
    complain "exit code $expected" "$code; $said"
  elif ((code != 0)) && [[ $said != "limn: "?* ]]; then
    complain "a message that begins with 'limn: '" "$said"
  fi
}

# refresh: what is odd may have been written to.
refresh() {
  local name
  for name in "${odd_names[@]}"; do cp left.png "./$name"; done
  rm -rf out/*
}

sums() { find given -type f -exec sha256sum {} + | sort; }
sums > before
mkdir tried
for command in "${commands[@]}"; do
  kind=${command%% *}
  tries=("${paths[@]}")
  case $kind in output | report | animation) tries+=("${places[@]}") ;; esac
  for i in "${!tries[@]}"; do
    attempt "${command#* }" "${tries[i]}" tried/$i &
    ((i % 4 != 3)) || wait
  done
  wait
  for i in "${!tries[@]}"; do
    command_run="limn ${command#* } with '${tries[i]::300}'"
    judge "$kind" "${tries[i]}" tried/$i
  done
  sums > after
  expect_same before after
  refresh
done
[[ -p fifo && -L loop && -L dangling && -S socket ]] || complain "what was odd to stay" "$(ls -l)"
chmod 755 closed locked
jobs > /dev/null  # which forgets those that are done

# ---- folders of paintings with odd things in them ----
mkdir album
cp red.png album
ln -s loop.png album/loop.png
ln -s ../fifo album/fifo.png
ln -s nowhere album/dangling.png
expect_exit 0 limn paint photo.png album "${weights[@]}" -o out/a.png
expect_message "'album/loop.png': Too many levels of symbolic links; it is left out of the folder's style"

# ---- where fetched weights would be ----
for cache in "$PWD/loop" "$PWD/fifo" "$PWD/$long"; do
  for command in "model list" "model info vgg19" "model fetch vgg19 --from http://127.0.0.1:1/x" \
    "paint given/photo.png given/painting.png --recipe given/tiny.toml -o out/b.png"; do
    read -ra words <<< "$command"
    run env XDG_CACHE_HOME="$cache" limn "${words[@]}"
    ((exit_code == 0 || exit_code == 2 || exit_code == 3)) || complain "no internal error" "$(< stderr)"
  done
done

# ---- a recipe through a pipe ----
run bash -c 'limn paint photo.png painting.png --weights vgg19.safetensors -o out/piped.png \
  --recipe <(cat tiny.toml)'
expect_equal 0 "$exit_code"
expect_exit 0 "${paint[@]}" -o out/usual.png
expect_same out/usual.png out/piped.png
