#!/usr/bin/env bash
# postgres.sh: a private PostgreSQL server in a folder of its own, for tests and measurements.
#
#   postgres.sh start DIR [LISTEN PORT] [NAME=VALUE...]   makes it when it is missing; prints where it answers
#   postgres.sh stop DIR          ends it, and removes DIR
#   postgres.sh restart DIR       ends it as a package update does, and starts it again
#   postgres.sh crash DIR         ends it as a power failure does; `start DIR` brings it back
#   postgres.sh pause DIR         freezes it: it accepts connections and says nothing
#   postgres.sh resume DIR        lets a frozen server go on
#
# It answers on a Unix socket in DIR/run, where nobody is asked for a password, and on LISTEN:PORT if given, with the
# password in DIR/password. NAME=VALUE are settings of postgresql.conf. Run by root it becomes the user "postgres".
set -euo pipefail

die() { printf 'postgres: %s\n' "$*" >&2; exit 1; }

VERB=${1:-} DIR=${2:-}
[ -n "$VERB" ] && [ -n "$DIR" ] || { sed -n '2,13s/^# \?//p' "$0" >&2; exit 2; }
shift 2
DIR=$(realpath -m "$DIR")

tool() { # the newest version of a command of the server, which Debian keeps beside PATH
    local found
    found=$(ls -d /usr/lib/postgresql/*/bin/"$1" 2>/dev/null | sort -V | tail -1)
    [ -n "$found" ] || found=$(command -v "$1") || die "there is no $1: run \"make apt\""
    printf '%s\n' "$found"
}

as_user() { # PostgreSQL refuses to be root
    if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid postgres --regid postgres --clear-groups "$@")
    else "$@"
    fi
}

create() {
    local owner
    owner=$(as_user id -un)
    mkdir -p "$DIR"
    install -d -m 700 -o "$owner" "$DIR/data" "$DIR/run"
    (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$DIR/password")
    chown "$owner" "$DIR/password"
    as_user "$(tool initdb)" --pgdata "$DIR/data" --username terrace --encoding UTF8 --locale C.UTF-8 --no-sync \
        --auth-local trust --auth-host scram-sha-256 --pwfile "$DIR/password" >"$DIR/initdb.log" 2>&1 ||
        die "initdb: $(cat "$DIR/initdb.log")"
    printf 'host all all all scram-sha-256\n' >>"$DIR/data/pg_hba.conf"
}

start() {
    [ -f "$DIR/data/PG_VERSION" ] || create
    local settings=() listen="" port=5432
    while [ $# -gt 0 ]; do
        case $1 in
            *=*) settings+=("$1") ;;
            *) listen=$1 port=${2:?the port is missing} && shift ;;
        esac
        shift
    done
    if [ ! -f "$DIR/data/terrace.made" ]; then
        {
            printf "unix_socket_directories = '%s'\n" "$DIR/run"
            printf "listen_addresses = '%s'\nport = %s\n" "$listen" "$port"
            printf "%s\n" "${settings[@]/=/ = }"
        } >>"$DIR/data/postgresql.conf"
        touch "$DIR/data/terrace.made"
    fi
    up
    printf 'postgresql://terrace@/postgres?host=%s&port=%s\n' "$DIR/run" "$port"
}

up() {
    as_user "$(tool pg_ctl)" --pgdata "$DIR/data" --log "$DIR/data/server.log" --wait --timeout 30 start >/dev/null ||
        die "it does not start: $(tail -5 "$DIR/data/server.log")"
}

down() { # HOW
    resume
    as_user "$(tool pg_ctl)" --pgdata "$DIR/data" --mode "$1" --wait --timeout 30 stop >/dev/null
}

family() { # the postmaster and its children
    local postmaster
    postmaster=$(head -1 "$DIR/data/postmaster.pid" 2>/dev/null) || return 0
    printf '%s\n' "$postmaster"
    ps -o pid= --ppid "$postmaster"
}

resume() { family | xargs -r kill -CONT 2>/dev/null || true; }

case $VERB in
    start) start "$@" ;;
    stop)
        [ ! -f "$DIR/data/postmaster.pid" ] || down immediate || true
        rm -rf "$DIR"
        ;;
    restart) down fast && up ;;
    crash) down immediate ;;
    pause) family | xargs -r kill -STOP ;;
    resume) resume ;;
    *) sed -n '2,13s/^# \?//p' "$0" >&2; exit 2 ;;
esac
