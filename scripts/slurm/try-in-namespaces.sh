#!/usr/bin/env bash
# Tries florana.sbatch on a real Slurm: makes a cluster of four hosts by cluster.sh, starts munge, slurmctld and four
# slurmd in it, submits the job twice (srun and mpirun), shows its log, and takes all of it away again.
#
#     scripts/slurm/try-in-namespaces.sh [ARGUMENTS…]     of florana; without any: doctor
#
# Needs root, what cluster.sh needs, and slurm-wlm and munge (Debian); ends with 77 where something is missing.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
hosts=4 slots=2

case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac

# skip REASON: ends with the status that tests read as "not possible here".
skip() {
  echo "try-in-namespaces.sh: skipped: $*" >&2
  exit 77
}

PATH=$PATH:/usr/sbin
for program in munged slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || skip "$program is not installed (Debian: slurm-wlm, munge)"
done
if [ -z "${CLUSTER_RSH:-}" ]; then
  [ "$(id -u)" -eq 0 ] || skip "slurmd changes a job's groups, which only root may"
  cd "$project"
  exec scripts/cluster.sh --hosts $hosts --slots $slots "scripts/slurm/${BASH_SOURCE[0]##*/}" "$@"
fi

# From here on: node0 of the cluster. /run is in memory and seen by all hosts.
state=/run/slurm
export SLURM_CONF=$state/slurm.conf

start_munge() {
  mkdir -m 700 $state/munge
  head -c 1024 /dev/urandom >$state/munge/key
  chmod 400 $state/munge/key
  munged --force --key-file=$state/munge/key --socket=$state/munge/socket --pid-file=$state/munge/pid \
    --log-file=$state/munge/log --seed-file=$state/munge/seed
}

write_configuration() {
  cat >$state/slurm.conf <<CONFIGURATION
ClusterName=namespaces
SlurmctldHost=node0
AuthType=auth/munge
AuthInfo=socket=$state/munge/socket
CredType=cred/munge
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
SlurmctldPidFile=$state/slurmctld.pid
SlurmctldLogFile=$state/slurmctld.log
StateSaveLocation=$state/controller
SlurmdPidFile=$state/slurmd.%n.pid
SlurmdLogFile=$state/slurmd.%n.log
SlurmdSpoolDir=$state/spool.%n
# No control groups and no accounting, which the hosts have not.
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
# Jobs name their results by their number: another try has others.
FirstJobId=$(($(date +%s) % 60000000 + 1))
# All hosts are this machine; each counts as one with as many processors as slots.
SlurmdParameters=config_overrides
NodeName=node[0-$((hosts - 1))] CPUs=$slots State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONFIGURATION
  printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' >$state/cgroup.conf
}

start_slurm() {
  local number
  mkdir -p $state/controller
  slurmctld -f $SLURM_CONF
  for number in $(seq 0 $((hosts - 1))); do
    mkdir -p $state/spool.node"$number"
    "$CLUSTER_RSH" node"$number" "SLURM_CONF=$SLURM_CONF PATH=$PATH slurmd -N node$number -f $SLURM_CONF"
  done
  for _ in $(seq 100); do
    [ "$(sinfo --noheader --states=idle --format=%D 2>/dev/null)" != $hosts ] || return 0
    sleep 0.3
  done
  echo "error: expected $hosts idle hosts, found:" >&2
  sinfo >&2
  tail -n 5 $state/*.log >&2
  return 1
}

# submit LAUNCHER ARGUMENTS…: runs the batch script on all hosts, shows its log, and returns its status.
submit() {
  local status=0
  LAUNCHER=$1 sbatch --wait --nodes=$hosts --ntasks=$((hosts * slots)) --output=$state/job.log \
    scripts/slurm/florana.sbatch "${@:2}" || status=$?
  cat $state/job.log
  echo "== by $1: status $status"
  return $status
}

mkdir -p $state
start_munge
write_configuration
start_slurm
sinfo --Node
# Where to start ranks is Slurm's to say now.
unset OMPI_MCA_plm OMPI_MCA_plm_rsh_agent OMPI_MCA_orte_default_hostfile
[ $# -gt 0 ] || set -- doctor
failures=0
for launcher in srun mpirun; do submit $launcher "$@" || failures=$((failures + 1)); done
exit $failures
