#!/usr/bin/env bash
# limn serve and limn jobs: a server of its own, asked by its client.
. "$(dirname "$0")/expect.sh"
limn serve --help > /dev/null 2>&1 || skip "this limn has no server"
unset LIMN_TOKEN XDG_STATE_HOME
export HOME=$PWD/home
mkdir home
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
server=
stop_server() { [[ -z $server ]] || kill -TERM "$server" 2>/dev/null || true; }
trap 'stop_server; finish' EXIT

# start FLAGS...: $url and $server are the server's.
start() {
  rm -f link
  limn serve --port 0 "$@" > link 2> server.log &
  server=$!
  for _ in $(seq 100); do [[ -s link ]] && break; sleep 0.1; done
  url=$(grep -o 'http://127.0.0.1:[0-9]*' link) || complain "a link" "$(< link)$(< server.log)"
}

# ---- a painting from end to end ----
start --workers 1
expect_exit 0 limn jobs list
expect_message "there are no jobs"
grep -q "jobs are kept in $HOME/.local/state/limn; Ctrl-C" server.log || complain "where jobs are" "$(< server.log)"
expect_equal 1 "$(wc -l < link)"
expect_equal 600 "$(stat -c %a home/.local/state/limn/token)"
small=(--set picture.size=48 --set optimiser.iterations=3)
expect_exit 0 limn jobs submit photo.png painting.png "${small[@]}" --server "$url" --wait -o out/one.jpg
id=$(< stdout)
expect_picture out/one.jpg "48 x 36"
expect_message "$id done"
expect_exit 0 limn jobs fetch "$id" -o out/one.png --server "$url"
expect_exit 0 limn info out/one.png
expect_exit 0 limn jobs fetch "$id" -o out/ONE.JPG --server "$url"
expect_picture out/ONE.JPG "48 x 36"
expect_exit 0 limn jobs fetch "$id"
expect_output "photo-painting.png"
expect_picture photo-painting.png "48 x 36"
rm photo-painting.png
for wrong in out/out.gif out/missing/out.png ./plain; do  # before anything is sent
  code=0
  limn jobs submit photo.png painting.png "${small[@]}" --wait -o "$wrong" > stdout 2> stderr || code=$?
  [[ $code == [23] ]] || complain "a refusal of $wrong" "$code $(< stderr)"
  expect_message "$wrong"
done
expect_exit 0 limn jobs list
expect_equal 1 "$(wc -l < stdout)"
expect_exit 0 limn jobs list --server "$url"
expect_output "$id  done"
expect_exit 0 limn jobs watch "$id" --server "$url"

# ---- a picture that a format cannot hold, one that is elsewhere ----
job=home/.local/state/limn/jobs/$id
/usr/bin/python3 - "$job/result.png" << 'EOF'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
with open(sys.argv[1], "wb") as png:
    png.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 17000, 8, 8, 2, 0, 0, 0)) +
              chunk(b"IDAT", zlib.compress(bytes((17000 * 3 + 1) * 8))) + chunk(b"IEND", b""))
EOF
mv out/one.png one.png
expect_exit 0 limn jobs fetch "$id" -o out/wide.jpg
rm -f out/*
expect_refusal 2 "the server answered 422: the picture does not go into this format" \
  limn jobs fetch "$id" -o out/wide.webp
cp -r "$job" saved
rm -f "$job"/result*
ln -s "$PWD/saved/result.png" "$job/result.png"
expect_refusal 2 "the server answered 404" limn jobs fetch "$id" -o out/link.png
rm "$job/result.png" && cp saved/result.png "$job/result.png"

# ---- the same recipe from a picture, a file and a name ----
expect_exit 0 limn jobs submit photo.png painting.png --recipe one.png --server "$url" --json
expect_json stdout "r['state'] in ('waiting', 'running') and r['recipe'] == 'limn'"
limn recipes show texture > mine.toml
expect_exit 0 limn jobs submit painting.png --kind texture --recipe mine.toml --size 32x24 \
  --set optimiser.iterations=2 --server "$url" --wait -o out/texture.png
expect_picture out/texture.png "32 x 24"
rm -f out/*

# ---- what is wrong is said before anything is sent, or by the server ----
expect_refusal 2 "--set: unknown key 'style.wieght'; did you mean 'style.weight'?" \
  limn jobs submit photo.png painting.png --set style.wieght=1 --server "$url"
expect_refusal 3 "photo 'missing.png'" limn jobs submit missing.png painting.png --server "$url"
expect_refusal 2 "the server answered 422: /painting: a job of kind 'paint' needs one" \
  limn jobs submit photo.png --server "$url"
expect_refusal 2 "the server answered 401" limn jobs list --server "$url" --token wrong
expect_refusal 2 "'x' is no job's id" limn jobs watch x --server "$url"
expect_refusal 2 "the server answered 409" limn jobs cancel "$id" --server "$url"
expect_refusal 3 "is limn serve running there?" limn jobs list --server http://127.0.0.1:1
expect_refusal 2 "--token: none was given" env HOME="$PWD/out" limn jobs list --server "$url"
expect_exit 0 limn jobs delete "$id" --server "$url"
expect_refusal 2 "the server answered 404" limn jobs fetch "$id" -o out/gone.png --server "$url"

# ---- a picture that is none is a failed job ----
echo "no picture" > text.png
expect_exit 4 limn jobs submit text.png painting.png --server "$url" --wait
expect_message "the job is failed"

# ---- the end: exit code 0, and what waits is kept ----
kill -TERM "$server"
code=0
wait "$server" || code=$?
expect_equal 0 "$code"
expect_no_file home/.local/state/limn/address
expect_refusal 3 "cannot reach 'http://127.0.0.1:8080' (the usual address" \
  env LIMN_TOKEN=x limn jobs list --data home/none
start --workers 0
expect_exit 0 limn jobs submit photo.png painting.png --server "$url" --preview
waiting=$(< stdout)
port=${url##*:}
expect_refusal 3 "choose another one with --port" limn serve --port "$port" --data home/other
kill -KILL "$server"
wait "$server" 2>/dev/null || true
mkdir browser
printf '#!/bin/sh\necho "$1" > "%s/shown"\n' "$PWD" > browser/xdg-open
chmod +x browser/xdg-open
PATH=$PWD/browser:$PATH
start --workers 0 --open  # the address that the killed one left leads nowhere
for _ in $(seq 100); do [[ -s shown ]] && break; sleep 0.1; done
expect_equal "$(< link)" "$(< shown)"
rm shown
expect_exit 0 limn serve --open  # the one that runs is shown, and no other is started
expect_message "is running already"
expect_output "$url/?token="
expect_equal "$(< link)" "$(< shown)"
expect_exit 0 limn jobs list --server "$url" --state waiting
expect_output "$waiting"
expect_exit 0 limn jobs cancel "$waiting" --server "$url"
expect_output "$waiting cancelled"
expect_exit 0 limn jobs retry "$waiting" --server "$url"
expect_output "$waiting waiting"

# ---- flags ----
expect_refusal 3 "cannot listen on 192.0.2.1" \
  limn serve --port 0 --host 127.0.0.1 --host 192.0.2.1 --data home/other
expect_refusal 2 "--disk: 'much' is not a size; write 512M or 8G" limn serve --disk much --data home/other
expect_refusal 2 "--port: is 70000" limn serve --port 70000 --data home/other
chmod 644 home/.local/state/limn/token
expect_refusal 3 "others may read it" limn serve --port 0
