#!/usr/bin/env bash
# Several processes that paint one picture: mpirun -n N limn paint.
. "$(dirname "$0")/expect.sh"

if ! command -v mpirun >/dev/null || [[ $(ldd "$LIMN") != *libmpi* ]]; then
  skip "MPI is not on this machine, or limn was built without it"
fi
# More ranks than cores, also for root, also where processes may not read each other's memory.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_btl_base_warn_component_unused=0

# ---- the number of ranks changes no bit ----
base=(limn paint photo.png painting.png --size 64 --tile 32 --seed 7 --threads 1)
expect_exit 0 "${base[@]}" --iterations 3 -o alone.png
for ranks in 1 2 3 4; do
  expect_exit 0 mpirun -n $ranks "${base[@]}" --iterations 3 -o "by$ranks.png"
  expect_same alone.png "by$ranks.png"
  ((ranks == 1)) || expect_message "by $ranks ranks"
  expect_equal 1 "$(grep -c 'painting .* pixels with recipe' stderr)"
done
expect_exit 0 mpirun -n 2 limn paint photo.png painting.png --size 64 --iterations 1 -o whole.png
expect_message "there are no tiles to share"

# ---- each keeps a share of the history, and predictions know it ----
large=(limn paint photo.png painting.png --size 424 --smallest 0 --recipe gram --balance fixed
  --bands 0 --iterations 12 --threads 1 --tile 200)
expect_exit 0 "${large[@]}" -o large1.png --report large1.json
for ranks in 2 4; do
  expect_exit 0 mpirun -n $ranks "${large[@]}" -o "large$ranks.png" --report large.json
  expect_same large1.png "large$ranks.png"
  expect_json large.json 'abs(r["predicted_memory_bytes"] / r["peak_memory_bytes"] - 1) < 0.1'
  expect_exit 0 mpirun -n $ranks "${large[@]}" --dry-run --untimed --json
  expect_json stdout "r['ranks'] == $ranks"
  expect_json stdout 'r["predicted_memory_bytes"] == load("large.json")["predicted_memory_bytes"]'
done

# ---- one of them is killed ----
# A recipe of one stage, so that any number of iterations begins alike.
single=("${base[@]}" --recipe gram --smallest 0)
long=("${single[@]}" --iterations 100000 --checkpoint a.limn --checkpoint-every 0.2
  -o long.png)
mpirun -n 3 "${long[@]}" >/dev/null 2>killed.txt </dev/null &
for ((i = 0; i < 600; ++i)); do [[ -f a.limn ]] && break; sleep 0.1; done
expect_file a.limn
victim=$(pgrep -P $! -x limn | tail -1)
start=$SECONDS
kill -KILL "$victim"
exit_code=0
wait $! || exit_code=$?
command_run="a killed rank"
((exit_code != 0)) || complain "a failure" "success"
((SECONDS - start < 30)) || complain "an end within seconds" "$((SECONDS - start)) s"
expect_no_file long.png

# The same bytes by other numbers of ranks.
cp a.limn b.limn
cp a.limn c.limn
done_so_far=$(limn info a.limn | sed -n 's/^iteration *\([0-9]*\) of.*/\1/p')
goal=$((done_so_far + 2))
expect_exit 0 limn resume a.limn --iterations $goal -o r1.png
expect_exit 0 mpirun -n 2 limn resume b.limn --iterations $goal -o r2.png
expect_exit 0 mpirun -n 4 limn resume c.limn --iterations $goal -o r4.png
expect_same r1.png r2.png
expect_same r1.png r4.png
expect_exit 0 "${single[@]}" --iterations $goal -o straight.png
expect_same straight.png r2.png

# ---- what goes wrong is said once ----
once() {  # TEXT
  expect_equal 1 "$(grep -cF -e "$1" stderr)"
}
expect_exit 2 mpirun -n 3 limn paint photo.png painting.png --size 5x
once "--size"
expect_exit 3 mpirun -n 3 limn paint missing.png painting.png
once "missing.png"
expect_exit 0 mpirun -n 2 limn --version
expect_equal 1 "$(grep -c . stdout)"
expect_exit 2 mpirun -n 2 limn paint - painting.png -o a.png
once "only one of several ranks can read"
