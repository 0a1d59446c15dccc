# shellcheck shell=bash
# Where the hosts of the cluster are, and how to run something on one. Sourced, not run.

# A file system in memory that only the cluster sees.
STATE=/run/cluster

# pid_of HOST: the process that holds the host's namespaces.
pid_of() {
  cat "$STATE/$1.pid" 2>/dev/null
}

# enter HOST FOLDER COMMAND…: becomes the command, on the host.
enter() {
  local pid
  pid=$(pid_of "$1") || {
    echo "cluster.sh: no host $1" >&2
    exit 1
  }
  # The folder is looked up on the host, whose /tmp is another.
  # shellcheck disable=SC2016
  exec nsenter --target "$pid" --net --uts --mount --ipc -- \
    env TMPDIR=/tmp HOSTNAME="$1" sh -c 'cd "$1" && shift && exec "$@"' sh "${@:2}"
}
