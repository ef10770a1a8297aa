#!/bin/sh
# Process 1 of Terrace's own images. Runs the user data once, at first boot (what is no `#!` script through terrace-first-boot
# beside it); then the command, or nothing, until told to end.
# Ends at once on TERM, passes signals on, and takes in processes that lost their parent.
state=/var/lib/terrace
child=
ended=

say() { printf 'terrace-init: %s\n' "$*"; }

pass() { # SIGNAL
    ended=$1
    [ -z "$child" ] || kill -s "$1" "$child" 2>/dev/null
}
for signal in HUP INT QUIT TERM USR1 USR2; do
    # shellcheck disable=SC2064
    trap "pass $signal" "$signal"
done

# Waits for the job just started; signals interrupt the wait, not the job. The wait takes in orphans on the way.
await() {
    child=$!
    [ -z "$ended" ] || kill -s "$ended" "$child" 2>/dev/null # it came before there was a child to pass it to
    while :; do
        wait "$child"
        code=$?
        kill -0 "$child" 2>/dev/null || break
    done
    child=
}

if [ -f "$state/password" ]; then
    { printf 'root:' && cat "$state/password"; } | chpasswd && rm -f "$state/password" && say 'the password is set'
fi

# The marker is written when the user data has ended by itself: what a stop cut short runs again at the next start.
if [ -f "$state/user-data" ] && [ ! -e "$state/user-data.exit" ]; then
    read -r first <"$state/user-data" || :
    say 'first boot: running the user data'
    case $first in
    '#!'*) (cd / && exec "$state/user-data") & ;;
    *) (cd / && exec "${0%/*}/terrace-first-boot" "$state/user-data") & ;;
    esac
    await
    if [ -n "$ended" ]; then
        say "the user data was ended by $ended; it runs again at the next start"
        exit 143
    fi
    waiting=
    [ ! -s "$state/user-data.waiting" ] || read -r waiting <"$state/user-data.waiting" || :
    printf '%s\n' "$code${waiting:+ $waiting}" >"$state/user-data.exit"
    if [ "$code" = 0 ]; then say 'the user data is done'; else say "the user data ended with exit code $code"; fi
fi

if [ $# -gt 0 ]; then
    "$@" &
    await
    exit "$code"
fi
while [ -z "$ended" ]; do
    sleep infinity &
    child=$!
    [ -n "$ended" ] || wait "$child"
done
kill "$child" 2>/dev/null
exit 0
