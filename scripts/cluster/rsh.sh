#!/usr/bin/env bash
# Runs a command on a host of the cluster as ssh would: rsh.sh HOST COMMAND…. Starts in the home folder, joins the
# words for a shell, and takes no environment along but what a login there would set.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=hosts.sh
source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"

host=${1:?expected a host}
shift
login=(HOME="${HOME:-/}" USER="${USER:-root}" LOGNAME="${LOGNAME:-root}" SHELL=/bin/sh LANG="${LANG:-C.UTF-8}")
# A cluster's login scripts and modules set these alike on every host.
login+=(PATH="$PATH" ${LD_LIBRARY_PATH:+"LD_LIBRARY_PATH=$LD_LIBRARY_PATH"} CLUSTER_RSH="${BASH_SOURCE[0]}")
status=0
(enter "$host" "${HOME:-/}" env -i "${login[@]}" TMPDIR=/tmp HOSTNAME="$host" /bin/sh -c "$*") || status=$?
# A connection to a host without power hears nothing from it, not even its end.
[ ! -e "$STATE/$host.crashed" ] || exec sleep infinity
exit $status
