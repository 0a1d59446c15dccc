#!/usr/bin/env bash
# The first process of a host, in its namespaces: host.sh NAME SHARED…. Gives the host its name, its own /tmp and
# /dev/shm, and then only holds the namespaces. The shared folders stay visible below /tmp.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=hosts.sh
source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"

name=$1
shift
hostname "$name"
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
number=0
for folder in "$@"; do
  mkdir -p "$folder"
  mount --rbind "$STATE/shared/$number" "$folder"
  number=$((number + 1))
done
# IPv6 would only add its own chatter to the byte counts.
for setting in all default; do
  { echo 1 >"/proc/sys/net/ipv6/conf/$setting/disable_ipv6"; } 2>/dev/null || true
done
ip link set lo up
# Whole or not at all: who waits for the file reads it at once.
echo $$ >"$STATE/$name.pid.new"
mv "$STATE/$name.pid.new" "$STATE/$name.pid"
exec sleep infinity
