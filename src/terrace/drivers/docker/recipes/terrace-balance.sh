#!/bin/sh
# Brings into effect what was laid beside this load balancer's files under the name NAME: haproxy.NAME (a configuration),
# parts.NAME (what it follows from), expected.NAME (the members it has), and commands.NAME where no reload is needed.
# parts.json is replaced last: what stands in it has come into effect. Prints the proxy's statistics.
#
#   terrace-balance NAME        exit 3: the proxy refuses the configuration (why: standard error)
set -u
cd /var/lib/terrace/balance || exit 1
name=$1
exec 9>lock
flock 9

ask() { socat -t 10 - "UNIX-CONNECT:$1"; } # the socket
running() { echo 'show info' | ask admin.sock 2>/dev/null | sed -n 's/^Pid: //p'; }
statistics() { echo 'show stat' | ask admin.sock; }
patient() { # until a command succeeds, 10 s at most
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 500 ] || return 1
        sleep 0.02
    done
}
answers() { pid=$(running) && [ -n "$pid" ]; }
other() { now=$(running) && [ -n "$now" ] && [ "$now" != "$pid" ]; }
complete() { # whether the proxy knows every member that it should
    known=$(statistics | cut -d, -f1,2)
    while read -r member; do
        printf '%s\n' "$known" | grep -qxF "$member" || return 1
    done <"expected.$name"
}
reload() {
    echo 'show servers state' | ask admin.sock >states.new && mv states.new states
    echo reload | ask master.sock >/dev/null
    patient other
}

[ -f "haproxy.$name" ] || exit 5
trap 'rm -f "haproxy.$name" "parts.$name" "expected.$name" "commands.$name"' EXIT
haproxy -c -q -f "haproxy.$name" >&2 || exit 3
patient answers || exit 4
cp "haproxy.$name" haproxy.new && mv haproxy.new haproxy.cfg
if [ -f "commands.$name" ]; then
    while read -r line; do
        echo "$line" | ask admin.sock >/dev/null
    done <"commands.$name"
    complete || reload || exit 4
else
    reload || exit 4
fi
mv "parts.$name" parts.json
statistics
