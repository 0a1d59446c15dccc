# shellcheck shell=bash
# What the scripts share (those of Python by preparation/environment.py): the project's folder, the MPI, steps that are timed, and how mpirun is called.
# Sourced, not run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PYTHON=$ROOT/.venv/bin/python
export PYTHON

# The MPI to build against, a build folder of its own for each, and its launcher: MPIRUN names another than the usual one,
# which Debian calls mpirun.mpich beside Open MPI's. `sharing` lets ranks share cores, which they give up while they wait
# (MPICH asks for no leave, and waits busily); `passing` hands to other hosts what they need (MPICH hands them all).
MPI_PKGCONFIG=${MPI_PKGCONFIG:-ompi-c}
if [ "$MPI_PKGCONFIG" = mpich ]; then
  FLORANA_BUILD=.build-mpich sharing=() passing=()
  [[ $(mpirun --version 2>/dev/null) == *HYDRA* ]] || MPIRUN=${MPIRUN:-mpirun.mpich}
else
  FLORANA_BUILD=.build sharing=(--oversubscribe --bind-to none --mca mpi_yield_when_idle 1) passing=(-x OPENBLAS_NUM_THREADS)
fi
MPIRUN=${MPIRUN:-mpirun}
export FLORANA_BUILD MPI_PKGCONFIG MPIRUN

# The program sets its BLAS threads itself (--blas-threads, 1); with this OpenBLAS does not start idle ones before.
export OPENBLAS_NUM_THREADS=${OPENBLAS_NUM_THREADS:-1}
# Containers often forbid the system call of single-copy messages within a host.
export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}
# What a job on several hosts needs, except what the caller has set.
while read -r option name value; do
  [ "$option" != -mca ] || [ -v "OMPI_MCA_$name" ] || export "OMPI_MCA_$name=$value"
done <"$ROOT/hostfiles/openmpi.conf"
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# launch RANKS COMMAND…: mpirun on this machine, or on the hosts of $HOSTFILE.
launch() {
  local ranks=$1
  shift
  local options=(-np "$ranks" "${passing[@]}")
  if [ -n "${HOSTFILE:-}" ]; then
    options+=(--hostfile "$HOSTFILE")
  elif [ "$ranks" -gt "$(nproc)" ]; then
    options+=("${sharing[@]}")
  fi
  "$MPIRUN" "${options[@]}" "$@"
}

# step NAME COMMAND…: says what is done and how long it took; returns the command's status. A function called this way
# runs without `set -e`: it joins its commands by &&.
step() {
  local name=$1 started=$SECONDS status=0 outcome=finished
  shift
  printf '== %s\n' "$name"
  "$@" || status=$?
  [ $status -eq 0 ] || outcome="failed with status $status"
  printf '== %s: %s, %d s\n' "$name" "$outcome" $((SECONDS - started))
  return $status
}
