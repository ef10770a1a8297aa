#!/usr/bin/env bash
# engine.sh: a private Docker engine, for the demo and for the tests, beside whatever else runs here.
#
#   engine.sh start DIR [BRIDGE SUBNET [own-net]]   all it writes to disk lives in DIR; its socket is DIR/docker.sock
#   engine.sh stop DIR            every trace goes: processes, mounts, cgroups, bridges, firewall rules, DIR itself
#   engine.sh daemon-stop DIR     only the daemon, as a package update or a reboot would: its containers die
#   engine.sh daemon-kill DIR     only the daemon, as a crash would
#   engine.sh daemon-start DIR    start it again on what it left
#   engine.sh status DIR          0 when it answers
#
# SUBNET is a /16 written as its first two numbers, say 10.213, or "free" for one that nobody uses here:
# BRIDGE gets X.Y.0.1/24, networks made later get /24s above it.
# With own-net the engine has a network namespace of its own, terrace-BRIDGE, and only one interface and two rules
# outside of it: what it does to iptables can then disturb nobody. Needs root.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }
die() { say "engine: $*"; exit 1; }

PATH="$PATH:/usr/sbin:/sbin"
VERB=${1:-} DIR=${2:-}
[ -n "$VERB" ] && [ -n "$DIR" ] || { sed -n '2,14s/^# \?//p' "$0" >&2; exit 2; }
DIR=$(realpath -m "$DIR")
# What the machine looked like before the first private engine, for all of them.
SHARED=/run/terrace-engines

load() { # the values that start wrote
    [ -f "$DIR/engine.env" ] || return 1
    # shellcheck source=/dev/null
    . "$DIR/engine.env"
}

inside() { # run in the engine's network
    if [ -n "$NETNS" ]; then nsenter --net="/run/netns/$NETNS" "$@"; else "$@"; fi
}

alive() { # a process that ended counts as gone, even where nobody collects its exit code
    local state
    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
    [ -n "$state" ] && [ "$state" != Z ]
}

answers() { # asked without the docker client, which takes longer to start than dockerd
    python3 - "$DIR/docker.sock" 2>/dev/null <<'PY'
import socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(3)
peer.connect(sys.argv[1])
peer.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
sys.exit(b" 200 " not in peer.recv(200))
PY
}

# -- the machine's own state, remembered and given back --------------------------------------------

locked() { # one private engine at a time changes what they share
    mkdir -p "$SHARED"
    exec 9>"$SHARED/lock"
    flock 9
}

remember() {
    mkdir -p "$SHARED/members"
    if [ -z "$(ls -A "$SHARED/members")" ]; then
        cat /proc/sys/net/ipv4/ip_forward >"$SHARED/ip_forward"
        { iptables -S FORWARD 2>/dev/null || true; } | sed -n 's/^-P FORWARD //p' >"$SHARED/forward_policy"
        { iptables -S DOCKER-USER 2>/dev/null || true; } >"$SHARED/docker_chains"
        { nft list tables 2>/dev/null || true; } >"$SHARED/tables"
        [ -d /run/netns ] && echo yes >"$SHARED/netns" || rm -f "$SHARED/netns"
    fi
    printf '%s\n' "$SUBNET" >"$SHARED/members/$BRIDGE"
    echo 1 >/proc/sys/net/ipv4/ip_forward # so that dockerd finds it set, and leaves the FORWARD policy alone
}

give_back() {
    rm -f "$SHARED/members/$BRIDGE"
    [ -z "$(ls -A "$SHARED/members" 2>/dev/null)" ] && [ -f "$SHARED/ip_forward" ] || return 0
    [ -s "$SHARED/docker_chains" ] || drop_docker_chains
    local policy
    policy=$(cat "$SHARED/forward_policy")
    [ -z "$policy" ] || iptables -P FORWARD "$policy"
    cat "$SHARED/ip_forward" >/proc/sys/net/ipv4/ip_forward
    drop_empty_tables
    if [ ! -f "$SHARED/netns" ] && [ -d /run/netns ] && [ -z "$(ls -A /run/netns)" ]; then
        umount /run/netns 2>/dev/null || true
        rmdir /run/netns || true
    fi
    rm -rf "$SHARED"
}

drop_docker_chains() { # those that every dockerd shares; only called when none was there before us
    local table chain rule
    for table in filter nat; do
        iptables -w -t $table -S 2>/dev/null | grep -E -- '-j DOCKER' | while read -r rule; do
            # shellcheck disable=SC2086
            eval iptables -w -t $table ${rule/#-A/-D} || true
        done || true # no such rule is left
        for chain in $(iptables -w -t $table -S 2>/dev/null | sed -n 's/^-N \(DOCKER[A-Z0-9-]*\)$/\1/p'); do
            iptables -w -t $table -F "$chain" && iptables -w -t $table -X "$chain" || true
        done
    done
}

drop_empty_tables() { # iptables-nft leaves its tables behind; one without a rule means nothing
    command -v nft >/dev/null || return 0
    local family name
    nft list tables 2>/dev/null | grep -vxFf "$SHARED/tables" | while read -r _ family name; do
        case "$family $name" in
            "ip filter" | "ip nat" | "ip raw" | "ip mangle" | "ip6 filter" | "ip6 nat") ;;
            *) continue ;;
        esac
        nft -a list table "$family" "$name" | grep -q '# handle .*' || continue
        nft list table "$family" "$name" |
            grep -vE '^table|^\s*chain|^\s*type .* hook .*policy accept;$|^\s*}|^\s*$|^}|^# Warning' | grep -q . ||
            nft delete table "$family" "$name"
    done || true
}

drop_rules() { # every rule that names one of our interfaces or our addresses
    local table rule
    for table in filter nat raw; do
        iptables -w -t $table -S 2>/dev/null | grep -E "^-A .*(${1})" | while read -r rule; do
            # shellcheck disable=SC2086
            eval iptables -w -t $table ${rule/#-A/-D} || true
        done
    done || true
}

# -- network ---------------------------------------------------------------------------------------

free_subnet() {
    local number taken
    taken=$(ip -4 addr show; ip -4 route show table all; cat "$SHARED"/members/* 2>/dev/null || true)
    for number in $(seq 214 250) $(seq 100 212); do
        grep -qE "(^|[^0-9.])10\.$number(\.|$)" <<<"$taken" || { printf '10.%s\n' "$number"; return; }
    done
    die "every subnet from 10.100 to 10.250 is taken"
}

uplink_mtu() {
    local uplink
    uplink=$(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -1)
    cat "/sys/class/net/${uplink:-lo}/mtu" 2>/dev/null || echo 1500
}

own_network() { # a network namespace with a way out through the host
    ip netns add "$NETNS"
    ip link add "$VETH" mtu "$MTU" type veth peer name up0 mtu "$MTU" netns "$NETNS"
    ip addr add "$SUBNET.255.1/30" dev "$VETH"
    ip link set "$VETH" up
    ip -n "$NETNS" addr add "$SUBNET.255.2/30" dev up0
    ip -n "$NETNS" link set lo up
    ip -n "$NETNS" link set up0 up
    ip -n "$NETNS" route add default via "$SUBNET.255.1"
    nsenter --net="/run/netns/$NETNS" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    iptables -w -t nat -A POSTROUTING -s "$SUBNET.255.0/30" ! -o "$VETH" -j MASQUERADE
    iptables -w -I FORWARD -i "$VETH" -j ACCEPT
    iptables -w -I FORWARD -o "$VETH" -j ACCEPT
}

add_bridge() {
    inside ip link add "$BRIDGE" mtu "$MTU" type bridge
    inside ip addr add "$SUBNET.0.1/24" dev "$BRIDGE"
    inside ip link set "$BRIDGE" up
}

our_bridges() { # ours, and those the engine made for its networks: they are named after the network's id
    printf '%s\n' "$BRIDGE"
    grep -aoE 'bridge/[0-9a-f]{64}' "$DIR/data/network/files/local-kv.db" 2>/dev/null |
        sed -E 's|bridge/(.{12}).*|br-\1|' | sort -u || true
}

empty() { # let the engine itself take back what it wrote into the machine's firewall
    local ids pid
    # shellcheck disable=SC2046
    kill_all $(guests)
    if pid=$(daemon_pid); then kill -CONT "$pid"; fi
    answers || (daemon_start) 2>/dev/null || return 0
    export DOCKER_HOST="unix://$DIR/docker.sock"
    unset DOCKER_CONTEXT DOCKER_TLS_VERIFY
    ids=$(docker ps -aq --no-trunc)
    # shellcheck disable=SC2086
    [ -z "$ids" ] || docker rm -f $ids >/dev/null || true
    docker network prune -f >/dev/null || true
}

drop_network() {
    local link rules="-s $SUBNET\\.|-d $SUBNET\\.|--to-destination $SUBNET\\."
    if [ -n "$NETNS" ]; then
        ip netns del "$NETNS" 2>/dev/null || true
        ip link del "$VETH" 2>/dev/null || true
        rules="$rules|-[io] $VETH "
    else
        for link in $(our_bridges); do
            rules="$rules|-[io] $link "
            ip link del "$link" 2>/dev/null || true
        done
    fi
    drop_rules "$rules"
}

# -- processes -------------------------------------------------------------------------------------

daemon_start() {
    local group=()
    [ -z "${SUDO_GID:-}" ] || group=(--group "$(getent group "$SUDO_GID" | cut -d: -f1)")
    local enter=() left
    [ -z "$NETNS" ] || enter=(nsenter --net="/run/netns/$NETNS")
    for left in "$DIR/docker.pid" "$DIR/exec/containerd/containerd.pid"; do # dockerd takes the dead for the living
        if [ -f "$left" ] && ! alive "$(cat "$left")"; then rm -f "$left"; fi
    done
    # 9>&-: the daemon must not hold the lock
    setsid "${enter[@]}" dockerd --data-root "$DIR/data" --exec-root "$DIR/exec" --pidfile "$DIR/docker.pid" \
        --host "unix://$DIR/docker.sock" "${group[@]}" --config-file "$DIR/daemon.json" \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/terrace-$BRIDGE" \
        --bridge "$BRIDGE" --fixed-cidr "$SUBNET.0.0/24" --mtu "$MTU" \
        --default-address-pool "base=$SUBNET.0.0/17,size=24" \
        >>"$DIR/dockerd.log" 2>&1 </dev/null 9>&- &
    local child=$! tries
    for tries in $(seq 300); do
        if [ -S "$DIR/docker.sock" ] && answers; then return 0; fi
        alive $child || break
        sleep 0.05
    done
    tail -n 15 "$DIR/dockerd.log" >&2
    die "dockerd did not start; $DIR/dockerd.log says why"
}

daemon_pid() {
    local pid
    pid=$(cat "$DIR/docker.pid" 2>/dev/null) && alive "$pid" && printf '%s\n' "$pid"
}

wait_gone() { # PID SECONDS
    local tries
    for tries in $(seq $(($2 * 20))); do
        alive "$1" || return 0
        sleep 0.05
    done
    return 1
}

guests() { # pids of everything that runs in the engine's containers
    find /sys/fs/cgroup -path "*/terrace-$BRIDGE*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u || true
}

strays() { # containerd and its shims name our folder on their command line
    local entry
    for entry in /proc/[0-9]*; do
        case "$(cat "$entry/comm" 2>/dev/null)" in containerd* | runc* | ctr) ;; *) continue ;; esac
        if tr '\0' ' ' <"$entry/cmdline" 2>/dev/null | grep -qF "$DIR/exec/"; then printf '%s\n' "${entry#/proc/}"; fi
    done
}

kill_all() { # PIDS...: those that are still there
    [ $# -eq 0 ] || kill -KILL "$@" 2>/dev/null || true
}

daemon_stop() { # asks; what does not listen within a second is killed, so that the daemon can end
    local pid
    pid=$(daemon_pid) || return 0
    kill -CONT "$pid" && kill -TERM "$pid"
    wait_gone "$pid" 1 || true
    # shellcheck disable=SC2046
    kill_all $(guests)
    wait_gone "$pid" 20 || { kill_all "$pid"; wait_gone "$pid" 5; }
}

daemon_kill() {
    local pid
    pid=$(daemon_pid) || return 0
    kill -KILL "$pid"
    wait_gone "$pid" 5
}

# -- verbs -----------------------------------------------------------------------------------------

start() {
    BRIDGE=${1:-terrace0} SUBNET=${2:-10.213} NETNS='' VETH=''
    [ ${#BRIDGE} -le 13 ] || die "bridge name $BRIDGE is longer than 13 letters"
    [ "${3:-}" != own-net ] || { NETNS="terrace-$BRIDGE" VETH="v-$BRIDGE"; }
    if [ -f "$DIR/engine.env" ]; then
        if answers; then return 0; fi
        stop # what a reboot or a kill left
    fi
    locked
    [ "$SUBNET" != free ] || SUBNET=$(free_subnet)
    MTU=$(uplink_mtu)
    mkdir -p "$DIR"
    printf '%s=%q\n' BRIDGE "$BRIDGE" SUBNET "$SUBNET" NETNS "$NETNS" VETH "$VETH" MTU "$MTU" >"$DIR/engine.env"
    echo '{}' >"$DIR/daemon.json"
    remember
    if [ -n "$NETNS" ]; then own_network; fi
    add_bridge
    daemon_start
    exec 9>&-
}

stop() {
    load || return 0
    local pids tries
    [ -n "$NETNS" ] || empty
    for tries in $(seq 100); do # nothing is kept, so nothing is asked politely
        pids="$(daemon_pid || true) $(strays) $(guests)"
        [ -n "${pids// /}" ] || break
        # shellcheck disable=SC2086
        kill_all $pids
        sleep 0.05
    done
    awk -v dir="$DIR/" 'index($5, dir) == 1 {print $5}' /proc/self/mountinfo | sort -r |
        while read -r mount; do umount -l "$mount" || true; done
    locked
    drop_network
    find /sys/fs/cgroup -depth -type d -path "*/terrace-$BRIDGE*" -exec rmdir {} + 2>/dev/null || true
    give_back
    exec 9>&-
    rm -rf "$DIR"
}

[ "$(id -u)" = 0 ] || exec sudo "$0" "$@"
shift 2
case "$VERB" in
    start) start "$@" ;;
    stop) stop ;;
    daemon-start) load || die "no engine in $DIR"; daemon_start ;;
    daemon-stop) load || die "no engine in $DIR"; daemon_stop ;;
    daemon-kill) load || die "no engine in $DIR"; daemon_kill ;;
    status) load && answers ;;
    *) die "no such verb: $VERB" ;;
esac
