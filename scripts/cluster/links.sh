# shellcheck shell=bash
# The network between the hosts: a link from each to one switch, its rate and delay, its counters, its faults.
# Sourced by bubble.sh, whose own network namespace is where the switch is.

# connect: links all hosts.
connect() {
  local name
  [ -n "$delay" ] || ip link add switch up type bridge stp_state 0 forward_delay 0 mcast_snooping 0 2>/dev/null ||
    skip "the kernel has no bridge"
  for name in $(names); do link "$name"; done
  if [ -n "$delay" ]; then start_delaying_switch; fi
}

# link HOST: eth0 there, the host's port here.
link() {
  local pid port=port-$1
  pid=$(pid_of "$1")
  ip link add "$port" type veth peer name eth0 netns "$pid" 2>/dev/null || skip "the kernel has no veth"
  [ -n "$delay" ] || ip link set "$port" master switch
  { echo 1 >"/proc/sys/net/ipv6/conf/$port/disable_ipv6"; } 2>/dev/null || true
  ip link set "$port" up
  local there=(nsenter --target "$pid" --net)
  "${there[@]}" ip address add "$(address "$1")/24" dev eth0
  "${there[@]}" ip link set eth0 up
  # A host never loses what it sends itself: its card takes packets when it can, and TCP holds back the rest. A queue
  # that drops them is no such card: TCP then waits for its probe timer, 0.2 s and more, with nothing under way.
  [ -z "$rate" ] || { shape "$port" "${buffer:?}" && shape eth0 1gb "${there[@]}"; } || skip "the kernel has no tbf"
}

# shape DEVICE BUFFER [PREFIX…]: what leaves it has the rate, and waits in the buffer; the prefix says in whose network
# it is. Bursts of a millisecond keep a coarse clock from lowering the rate; they hold two packets at least.
shape() {
  local burst=$(($(bits_per_second "$rate") / 8000))
  "${@:3}" tc qdisc replace dev "$1" root tbf rate "$rate" burst $((burst > 3200 ? burst : 3200)) limit "$2" 2>/dev/null
}

# start_delaying_switch: a program in place of the bridge, since few kernels can delay packets themselves.
start_delaying_switch() {
  local compiler
  compiler=$(command -v cc || command -v clang || command -v gcc) || skip "--delay needs a C compiler"
  "$compiler" -O2 -o "$STATE/switch" "${BASH_SOURCE[0]%/*}/switch.c" || skip "the switch for --delay cannot be compiled"
  # shellcheck disable=SC2046
  "$STATE/switch" "$(microseconds "$delay")" $(names | sed 's/^/port-/') </dev/null >/dev/null &
  local process=$!
  sleep 0.1
  kill -0 $process 2>/dev/null || skip "the kernel has no packet sockets"
}

# count: a line a host: its name, and bytes and packets received and sent. A host that crashed has none.
count() {
  local name pid
  for name in $(names); do
    pid=$(pid_of "$name")
    awk -v name="$name" 'sub(/^ *eth0:/, "") { print name, $1, $2, $9, $10 }' "/proc/$pid/net/dev" 2>/dev/null || true
  done
}

# write_counters BEFORE AFTER: two counts as JSON.
write_counters() {
  printf '%s\n' "$1" "after" "$2" | awk -v rate="$rate" -v delay="$delay" '
    function text(value) { return value == "" ? "null" : "\"" value "\"" }
    function figures() {
      return "{\"receivedBytes\": " $2 ", \"receivedPackets\": " $3 ", \"sentBytes\": " $4 ", \"sentPackets\": " $5 "}"
    }
    $1 == "after" { isAfter = 1; next }
    isAfter && NF { after[$1] = figures() }
    !isAfter { names[++count] = $1; before[$1] = figures(); after[$1] = "null" }
    END {
      print "{\"rate\": " text(rate) ", \"delay\": " text(delay) ", \"hosts\": ["
      for (i = 1; i <= count; i++) {
        line = "  {\"host\": " text(names[i]) ", \"before\": " before[names[i]] ", \"after\": " after[names[i]] "}"
        print line (i < count ? "," : "")
      }
      print "]}"
    }'
}

# cause FAULT: waits for its time or file, then lets it happen.
cause() {
  local what=${1%%@*} host=${1##*:} when=${1#*@}
  when=${when%:*}
  if [[ $when =~ ^[0-9.]+s$ ]]; then
    sleep "${when%s}"
  else
    until [ -e "$when" ]; do sleep 0.1; done
  fi
  echo "cluster.sh: $what of $host" >&2
  case $what in
    link-down) ip link set "port-$host" down ;;
    link-up) ip link set "port-$host" up ;;
    # Nothing that the host's processes send while they die may leave it.
    crash) ip link set "port-$host" down && end_host "$host" ;;
  esac
}

# end_host HOST: ends all that runs there.
end_host() {
  local network process
  touch "$STATE/$1.crashed"
  network=$(readlink "/proc/$(pid_of "$1")/ns/net")
  for process in /proc/[0-9]*; do
    if [ "$(readlink "$process/ns/net" 2>/dev/null)" = "$network" ]; then
      kill -KILL "${process#/proc/}" 2>/dev/null || true
    fi
  done
}
