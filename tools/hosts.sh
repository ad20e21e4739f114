#!/usr/bin/env bash
# Several machines on one: runs a command on the first of N hosts, which are network namespaces
# joined by a bridge. mpirun, run there, starts a process on each, over TCP and without any ssh.
#
#   tools/hosts.sh 3 mpirun limn paint photo.jpg painting.jpg --size 1024 --tile 256 -o out.png
#   RATE=1gbit tools/hosts.sh 3 bash     # links of 1 Gbit/s each way; else as fast as it goes
#
# The hosts are called host1, host2 and so on. They share files and cores, and nothing else. On them,
#
#   on host2 COMMAND                     # runs a command on another
#   ip -n switch link set port2 down     # pulls the cable of host2
#   ip netns pids host2                  # what runs there
#
# Networks, processes and mounts are in namespaces of their own, which end with this script, however
# it ends. It needs root, or a kernel that lets users make namespaces.
# Exit status: the command's; 77 if there can be no such hosts here, 2 for bad usage.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
unable() { echo "no hosts: $1" >&2; exit 77; }

if [[ -z ${LIMN_HOSTS_BEGUN:-} ]]; then
  [[ ${1:-} =~ ^[1-9]$ && $# -ge 2 ]] || { sed -n '2,/^set/s/^# \?//p' "$0" >&2; exit 2; }
  command -v ip >/dev/null || unable "there is no program 'ip' (Debian's iproute2)"
  as_root=()
  ((EUID == 0)) || as_root=(--user --map-root-user)
  own=(unshare "${as_root[@]}" --net --mount --pid --fork --kill-child --mount-proc)
  "${own[@]}" true 2>/dev/null || unable "this machine allows no new namespaces"
  LIMN_HOSTS_BEGUN=1 exec "${own[@]}" "$0" "$@"
fi
unset LIMN_HOSTS_BEGUN

count=$1
shift
trap 'unable "$BASH_COMMAND failed"' ERR
mount -t tmpfs none /run  # ip keeps the names of namespaces there
mkdir /run/bin /run/sessions

cat > /run/bin/on <<'SH'
#!/bin/bash
host=$1 && shift
exec nsenter --net="/run/netns/$host" unshare --uts bash -c "hostname $host && $*"
SH
chmod +x /run/bin/on

up() {  # NAMESPACE INTERFACE; what it sends then has its rate
  ip -n "$1" link set "$2" up
  [[ -z ${RATE:-} ]] || tc -n "$1" qdisc add dev "$2" root tbf rate "$RATE" burst 2mb latency 20ms
}
ip netns add switch
ip -n switch link add bridge type bridge
ip -n switch link set bridge up
for ((i = 1; i <= count; ++i)); do
  ip netns add "host$i"
  ip -n switch link add "port$i" type veth peer name eth0 netns "host$i"
  ip -n switch link set "port$i" master bridge
  ip -n "host$i" address add "10.77.0.$i/24" dev eth0
  ip -n "host$i" link set lo up
  up switch "port$i"
  up "host$i" eth0
  echo "host$i slots=1" >> /run/hostfile
done

trap - ERR

export LIMN_HOSTS=$count PATH=/run/bin:$PATH
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_plm_rsh_agent=/run/bin/on OMPI_MCA_orte_default_hostfile=/run/hostfile
export OMPI_MCA_orte_tmpdir_base=/run/sessions
export OMPI_MCA_btl=self,tcp
export OMPI_MCA_btl_tcp_if_include=10.77.0.0/24 OMPI_MCA_oob_tcp_if_include=10.77.0.0/24
# All share the same cores: none is to be bound to the first of them, or to spin on it.
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
on host1 "$(printf '%q ' "$@")"
