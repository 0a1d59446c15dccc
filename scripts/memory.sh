#!/usr/bin/env bash
# Shows what a rank holds in memory while it trains, with 1 and with 4 ranks: the frozen weights are mapped, so the
# ranks of one host share one physical copy, and what is private to a rank stays the same.
#
#     scripts/memory.sh [RANKS…]        numbers of ranks (1 4); needs what run.sh has prepared
#
# Columns in MiB: rss (all resident), pss (shared pages divided among those who share them), shared and private
# (pages that others map too, and pages that only this rank has), dirty (private and written).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$ROOT"

program=$(readlink -f "$FLORANA_BUILD/release/florana")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# figures PID: the columns of one process.
figures() {
  awk -v pid="$1" '
    { size[$1] = $2 / 1024 }
    END { printf "%8d %8.1f %8.1f %8.1f %8.1f %8.1f\n", pid, size["Rss:"], size["Pss:"],
          size["Shared_Clean:"] + size["Shared_Dirty:"],
          size["Private_Clean:"] + size["Private_Dirty:"], size["Private_Dirty:"] }' "/proc/$1/smaps_rollup"
}

# descendants PID: the processes below it.
descendants() {
  local child
  for child in $(pgrep -P "$1"); do
    echo "$child"
    descendants "$child"
  done
}

# measure RANKS: one line a rank, taken while the second round trains.
measure() {
  local output=$work/$1 launcher pid
  launch "$1" "$program" simulate examples/sentiment.yaml --quiet --output "$output" \
    --set training.rounds=2 --set training.steps=10 --set evaluate.every=2 >/dev/null &
  launcher=$!
  until [ -s "$output/rounds.jsonl" ]; do
    kill -0 "$launcher" 2>/dev/null || { wait "$launcher"; return 1; }
    sleep 0.2
  done
  sleep 1
  printf '%s ranks\n%8s %8s %8s %8s %8s %8s\n' "$1" pid rss pss shared private dirty
  for pid in $(descendants "$launcher"); do
    [ "$(readlink "/proc/$pid/exe")" != "$program" ] || figures "$pid"
  done
  wait "$launcher"
}

[ $# -gt 0 ] || set -- 1 4
for ranks in "$@"; do measure "$ranks"; done
