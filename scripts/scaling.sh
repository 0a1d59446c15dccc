#!/usr/bin/env bash
# Sweeps numbers of ranks, one MPI job each, with `florana scaling`, and merges the tables into one whose speed-up and
# efficiency are those against the fewest ranks.
#
#     scripts/scaling.sh examples/sentiment.yaml --ranks 1,2,4 --clients 8,16
#     scripts/scaling.sh examples/sentiment.yaml --ranks 4,8 --clients 4 --weak --hostfile hostfiles/cluster --rounds 5
#
#     --ranks LIST       numbers of ranks, separated by commas
#     --hostfile FILE    start the ranks on these hosts; also HOSTFILE=FILE
#     --output DIR       the folder of scaling.csv, with a folder for each number of ranks (runs/NAME-scaling-DATE-TIME)
#
# Further arguments go to `florana scaling`, whose --help says what is measured; scripts/plot.py DIR draws the curves.
# Needs a release build and what the configuration names; FLORANA=PROGRAM names another build.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

program=$(readlink -f "${FLORANA:-$ROOT/$BUILD/release/florana}")
ranks=
output=
arguments=()

fail() {
  echo "error: $1" >&2
  exit 2
}

# require_value OPTION VALUE…: stops when the option is the last argument.
require_value() {
  [ -n "${2:-}" ] || fail "$1: expected a value, found nothing"
}

while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help)
      sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --ranks | --hostfile | --output)
      require_value "$@"
      set -- "$1=$2" "${@:3}"
      ;;
  esac
  case "$1" in
    --ranks=*) ranks=${1#--ranks=} ;;
    --hostfile=*) HOSTFILE=${1#--hostfile=} ;;
    --output=*) output=${1#--output=} ;;
    *) arguments+=("$1") ;;
  esac
  shift
done

[[ $ranks =~ ^[1-9][0-9]*(,[1-9][0-9]*)*$ ]] || fail "--ranks: expected numbers such as 1,2,4, found ${ranks:-nothing}"
[ -f "${arguments[0]:-}" ] || fail "expected a configuration's file first, found ${arguments[0]:+no file }${arguments[0]:-nothing}"
[ -z "${HOSTFILE:-}" ] || [ -f "$HOSTFILE" ] || fail "--hostfile: expected a file, found nothing at $HOSTFILE"
[ -x "$program" ] || fail "$program: expected a build of florana, found none: swift build -c release --product florana"
name=$(basename "${arguments[0]%.*}")
output=${output:-runs/$name-scaling-$(date +%Y%m%d-%H%M%S)}
[ ! -e "$output/scaling.csv" ] || fail "$output: expected a new folder, found another sweep; name one with --output"

tables=()
for count in ${ranks//,/ }; do
  step "ranks: $count" \
    launch "$count" "$program" scaling "${arguments[@]}" --output "$output/ranks-$count"
  tables+=("$output/ranks-$count/scaling.csv")
done
[ -x "$PYTHON" ] || PYTHON=python3
"$PYTHON" "$ROOT/scripts/merge_scaling.py" --output "$output/scaling.csv" "${tables[@]}"
