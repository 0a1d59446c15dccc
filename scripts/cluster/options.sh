# shellcheck shell=bash
# The command line of cluster.sh, read by it and again inside the namespaces. Sourced, not run.

# skip REASON: ends with the status that tests read as "not possible here".
skip() {
  echo "cluster.sh: skipped: $*" >&2
  exit 77
}

usage_error() {
  echo "error: $*; see scripts/cluster.sh --help" >&2
  exit 2
}

# require OPTION VALUE PATTERN WHAT: stops unless the whole value matches.
require() {
  [[ $2 =~ ^($3)$ ]] || usage_error "$1: expected $4, found ${2:-nothing}"
}

# parse_options ARGUMENTS…: sets hosts, slots, rate, buffer, delay, counters, faults, shared and command.
# shellcheck disable=SC2034
parse_options() {
  hosts=4 slots=2 rate='' buffer=1mb delay='' counters='' faults=() shared=() command=()
  while [ $# -gt 0 ]; do
    case $1 in
      --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
    esac
    case $1 in
      --hosts) require "$1" "${2:-}" '[1-9]|[1-9][0-9]|1[0-9][0-9]|200' 'a number from 1 to 200' && hosts=$2 ;;
      --slots) require "$1" "${2:-}" '[1-9][0-9]{0,3}' 'a number of ranks' && slots=$2 ;;
      --rate) require "$1" "${2:-}" '[1-9][0-9]*[kmg]bit' 'a rate as 100mbit or 1gbit' && rate=$2 ;;
      --buffer) require "$1" "${2:-}" '[1-9][0-9]{2,}kb|[1-9][0-9]*mb' 'a size from 100kb, as 256kb or 1mb' && buffer=$2 ;;
      --delay) require "$1" "${2:-}" '[1-9][0-9]*(us|ms|s)' 'a time as 500us or 20ms' && delay=$2 ;;
      --counters) require "$1" "${2:-}" '.+' 'a file' && counters=$2 ;;
      --fault)
        require "$1" "${2:-}" '(link-down|link-up|crash)@.+:node[0-9]+' 'WHAT@WHEN:HOST as link-down@5s:node2'
        faults+=("$2")
        ;;
      --share) require "$1" "${2:-}" '/.+' 'the whole path of a folder' && shared+=("$2") ;;
      --)
        shift
        break
        ;;
      -*) usage_error "expected an option, found $1" ;;
      *) break ;;
    esac
    shift 2
  done
  command=("$@")
  [ $# -gt 0 ] || usage_error "expected a command, found nothing"
  local fault
  for fault in "${faults[@]}"; do
    [ "${fault##*:node}" -lt "$hosts" ] || usage_error "--fault: expected one of $hosts hosts, found ${fault##*:}"
  done
}

# bits_per_second RATE, microseconds TIME: in numbers.
bits_per_second() {
  local unit=${1##*[0-9]} number=${1%%[kmg]bit}
  case $unit in
    kbit) echo $((number * 1000)) ;;
    mbit) echo $((number * 1000000)) ;;
    gbit) echo $((number * 1000000000)) ;;
  esac
}

microseconds() {
  case $1 in
    *us) echo "${1%us}" ;;
    *ms) echo "${1%ms}000" ;;
    *) echo "${1%s}000000" ;;
  esac
}
