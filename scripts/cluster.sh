#!/usr/bin/env bash
# Makes a cluster of network namespaces on this machine, runs a command on its first host, and takes it away again.
#
#     scripts/cluster.sh [OPTIONS] [--] COMMAND…
#
#     --hosts N            hosts node0, node1, …                                   (4)
#     --slots N            ranks that mpirun puts on each                          (2)
#     --rate RATE          of every link, both ways: 100mbit, 1gbit                (as fast as the kernel copies)
#     --buffer SIZE        of the switch for each of its ports, with --rate; packets beyond are lost, as when many hosts
#                          send to one at once. Switches have 100 KB to some MB a port          (1mb)
#     --delay TIME         one way from host to host: 500us, 20ms                  (none)
#     --counters FILE      bytes and packets of every host's link before and after the command, as JSON
#     --fault WHAT@WHEN:HOST   link-down: the cable is pulled; link-up: it is put back; crash: the power goes. WHEN is
#                          a time after the start of the command (5s) or a file, at whose appearance it happens. May be
#                          given more than once
#     --share FOLDER       a folder below /tmp that all hosts see, beside the current one and the project's
#     --help
#
# Examples:
#
#     scripts/cluster.sh --rate 1gbit mpirun -np 8 .build/release/florana simulate examples/sentiment.yaml
#     scripts/cluster.sh --hosts 16 --slots 1 --rate 100mbit --delay 20ms --counters links.json \
#       mpirun -np 16 .build/release/florana doctor
#     scripts/cluster.sh --fault link-down@20s:node2 mpirun -np 8 .build/release/florana simulate …
#     scripts/cluster.sh bash        a shell on node0; $CLUSTER_RSH node2 COMMAND runs one on another host
#
# Hosts have a name, a link, a /tmp and a /dev/shm of their own and share all other files. A plain mpirun of Open MPI
# reaches them over TCP: the host file, the way to start daemons and the rest are set in its OMPI_MCA_ variables.
# Works as root, and as a plain user where user namespaces are allowed. Ends with the command's status; 2 for bad usage;
# 77, after one line that says what is missing, where no such cluster can be made. Nothing is left behind, even after
# kill -9. docs/cluster.md tells more.
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/cluster
# shellcheck source-path=SCRIPTDIR source=cluster/options.sh
source "$folder/options.sh"

case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
parse_options "$@"

for program in unshare nsenter setpriv mount hostname ip tc; do
  command -v "$program" >/dev/null || skip "$program is not installed (Debian: util-linux, hostname, iproute2)"
done

# Namespaces of its own for everything; whoever may not make them as who he is becomes root of a user namespace first.
namespaces=(--net --mount --uts --ipc --pid --fork --kill-child=KILL --mount-proc)
if ! unshare "${namespaces[@]}" true 2>/dev/null; then
  namespaces+=(--user --map-root-user)
  unshare "${namespaces[@]}" true 2>/dev/null || skip "this machine does not let $(id -un) make namespaces"
fi

# The kernel ends all that lives in the namespaces when this script ends, however it ends.
setpriv --pdeathsig KILL env --default-signal=INT,QUIT \
  unshare "${namespaces[@]}" "$folder/bubble.sh" "$@" <&0 &
bubble=$!
trap 'kill -KILL "$bubble"; exit 143' TERM HUP
# The command gets the terminal's Ctrl-C itself, and how it ends is how this script ends.
trap : INT
status=0
wait "$bubble" || status=$?
while kill -0 "$bubble" 2>/dev/null; do
  status=0
  wait "$bubble" || status=$?
done
exit "$status"
