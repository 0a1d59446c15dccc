#!/usr/bin/env bash
# The first process inside the namespaces that cluster.sh makes: builds the network and the hosts, runs the command on
# node0, and writes the counters. With its end the kernel takes everything away. Takes the arguments of cluster.sh.
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../environment.sh
source "$folder/../environment.sh"
# shellcheck source-path=SCRIPTDIR source=options.sh
source "$folder/options.sh"
# shellcheck source-path=SCRIPTDIR source=hosts.sh
source "$folder/hosts.sh"
# shellcheck source-path=SCRIPTDIR source=links.sh
source "$folder/links.sh"
parse_options "$@"
# Ctrl-C is the command's.
trap : INT

names() { seq -f 'node%.0f' 0 $((hosts - 1)); }
network=10.77.0
address() { echo "$network.$((1 + ${1#node}))"; }

# prepare_files: the state, the names of all hosts, and a second way to the folders that the hosts' /tmp would cover.
prepare_files() {
  mount -t tmpfs -o mode=755 tmpfs /run 2>/dev/null || skip "no file system in memory (tmpfs) can be mounted"
  mkdir -p "$STATE/shared"
  echo "127.0.0.1 localhost" >"$STATE/hosts"
  local name path number=0 kept=()
  for name in $(names); do
    echo "$(address "$name") $name" >>"$STATE/hosts"
    echo "$name slots=$slots" >>"$STATE/hostfile"
  done
  mount --bind "$STATE/hosts" /etc/hosts
  for path in "$ROOT" "$PWD" "${shared[@]}"; do
    path=$(realpath "$path")
    case $path in /tmp | /tmp/*) kept+=("$path") ;; esac
  done
  shared=("${kept[@]}")
  for path in "${shared[@]}"; do
    mkdir "$STATE/shared/$number"
    mount --rbind "$path" "$STATE/shared/$number"
    number=$((number + 1))
  done
}

# start_host NAME: a host without a link.
start_host() {
  unshare --net --uts --mount --ipc "$folder/host.sh" "$1" "${shared[@]}" </dev/null >/dev/null &
  local process=$!
  # No word of the shell when a crash ends it.
  disown
  until [ -s "$STATE/$1.pid" ]; do
    kill -0 $process 2>/dev/null || skip "a host cannot be set up (see above)"
    sleep 0.02
  done
}

# Open MPI's settings, which it hands on to the other hosts by itself.
prepare_launch() {
  export CLUSTER_RSH=$folder/rsh.sh
  export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent=$CLUSTER_RSH OMPI_MCA_orte_default_hostfile=$STATE/hostfile
  # Between hosts nothing but TCP on the one network; within a host shared memory.
  export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader,tcp
  export OMPI_MCA_btl_tcp_if_include=$network.0/24 OMPI_MCA_oob_tcp_if_include=$network.0/24
  # All hosts have the same cores: ranks must not be bound to them, and must give them up while they wait.
  export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
  # Allocations of a scheduler around this cluster are not this cluster's.
  local name
  for name in ${!SLURM_@} ${!PBS_@}; do unset "$name"; done
}

# on_first_host: runs the command on node0 with the caller's environment.
on_first_host() { (enter node0 "$PWD" "${command[@]}"); }

prepare_files
for name in $(names); do start_host "$name"; done
connect
prepare_launch
before=$(count)
for fault in "${faults[@]}"; do cause "$fault" & done
status=0
on_first_host || status=$?
if [ -n "$counters" ]; then
  write_counters "$before" "$(count)" >"$counters"
fi
exit $status
