#!/usr/bin/env bash
# Three machines paint one picture; one is out of reach for a moment, one loses its process, and one
# its network. The machines are network namespaces: tools/hosts.sh, which also serves to look around.
if [[ -z ${LIMN_HOSTS:-} ]]; then
  if ! command -v mpirun >/dev/null || [[ $(ldd "${LIMN:?}") != *libmpi* ]]; then
    echo "skipped: MPI is not on this machine, or limn was built without it"
    exit 77
  fi
  exec timeout -k 5 400 "$(dirname "$0")/../../tools/hosts.sh" 3 bash "$0"
fi
. "$(dirname "$0")/expect.sh"

# ---- the number of machines changes no bit ----
# A recipe of one stage, so that any number of iterations begins alike.
base=(limn paint photo.png painting.png --recipe gram --size 64 --tile 32 --seed 7 --threads 1)
expect_exit 0 mpirun -n 3 hostname
expect_equal "host1 host2 host3" "$(sort stdout | xargs)"
expect_exit 0 "${base[@]}" --iterations 3 -o alone.png
expect_exit 0 mpirun -n 3 "${base[@]}" --iterations 3 -o by3.png
expect_message "by 3 ranks"
expect_same alone.png by3.png

# ---- what can be lost ----
# As docs/large-pictures.md says, but for shorter times.
notice=(--mca oob_tcp_keepalive_time 2 --mca oob_tcp_keepalive_intvl 1
  --mca oob_tcp_keepalive_probes 3)
# Calls what follows until it succeeds, for 60 seconds at most.
await() {
  for ((tenths = 0; tenths < 600; ++tenths)); do ! "$@" || return 0; sleep 0.1; done
  complain "$* to succeed within 60 s" "$(< lost.txt)"
}
done_so_far() { [[ ! -f a.limn ]] || limn info a.limn | sed -n 's/^iteration *\([0-9]*\) of.*/\1/p'; }
is_beyond() { (($(done_so_far) + 0 > $1)); }
# Runs a command on all hosts in the background until a checkpoint says that it paints.
start() {
  local before
  before=$(done_so_far)
  command_run="$*"
  timeout 120 mpirun -n 3 "${notice[@]}" "$@" >/dev/null 2>lost.txt </dev/null &
  process=$!
  await is_beyond "${before:-0}"
}
limn_on() {  # HOST: its process
  ip netns pids "$1" | while read -r pid; do
    [[ $(cat "/proc/$pid/comm" 2>&1) != limn ]] || echo "$pid"
  done
}
is_idle() { [[ -z $(limn_on "$1") ]]; }
# It ends soon, everywhere, with an error and without a picture.
expect_lost() {  # WHAT
  local start=$SECONDS
  exit_code=0
  wait $process || exit_code=$?
  command_run="$1"
  ((exit_code != 0 && exit_code != 124)) || complain "a failure" "exit code $exit_code"
  ((SECONDS - start < 30)) || complain "an end within seconds" "$((SECONDS - start)) s"
  for host in host1 host2 host3; do await is_idle $host; done
  expect_no_file long.png
}

start "${base[@]}" --iterations 100000 --smallest 0 --checkpoint a.limn --checkpoint-every 0.2 \
  -o long.png
# A cable that is out for a moment: the painting goes on.
ip -n switch link set port2 down
sleep 1.5
unplugged=$(done_so_far)
ip -n switch link set port2 up
await is_beyond $((unplugged + 1))  # one more could have been done without it
# A killed process.
kill -KILL "$(limn_on host3)"
expect_lost "a killed process"
# A cable that is out for good.
start limn resume a.limn --iterations 100000 -o long.png
ip -n switch link set port3 down
expect_lost "a pulled cable"
grep -q "lost communication" lost.txt || complain "the lost host named" "$(< lost.txt)"

# ---- the checkpoint is intact, for any machines that are left ----
cp a.limn b.limn
goal=$(($(done_so_far) + 2))
expect_exit 0 limn resume a.limn --iterations $goal -o r1.png
expect_exit 0 mpirun -n 2 --host host1,host2 limn resume b.limn --iterations $goal -o r2.png
expect_exit 0 "${base[@]}" --iterations $goal --smallest 0 -o straight.png
expect_same straight.png r1.png
expect_same straight.png r2.png
