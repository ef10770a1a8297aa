#!/usr/bin/env bash
# demo.sh up|down : the example shop on this machine's Docker engine, or on a private one where none answers.
# What it made, and nothing else, is taken away again by `down`; it is written down in $STATE/demo.env.
set -euo pipefail
cd "$(dirname "$0")/.."

STACK=shop
IMAGE=debian-12
TEMPLATE="${TEMPLATE:-examples/shop.yaml}"
TERRACE=.venv/bin/terrace
STATE="${XDG_STATE_HOME:-$HOME/.local/state}/terrace"
SETTINGS="${TERRACE_SERVER_CONFIG:-${XDG_CONFIG_HOME:-$HOME/.config}/terrace/server.toml}"
ENGINE="$STATE/engine"
NOTES="$STATE/demo.env"
MARK="# Written by \`make demo\`; \`make demo-down\` removes it."
export NO_COLOR="${NO_COLOR-}"

say() { printf '\n== %s\n' "$*"; }
show() { printf '$ terrace %s\n' "$*"; "$TERRACE" "$@"; }
note() { grep -qx "$1" "$NOTES" 2>/dev/null || printf '%s\n' "$1" >>"$NOTES"; }
noted() { grep -qx "$1" "$NOTES" 2>/dev/null; }
engine_answers() { timeout 10 docker version >/dev/null 2>&1; }
seconds() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.1f", b - a}'; }
started() { docker inspect -f '{{if .State.Running}}{{.State.StartedAt}}{{end}}' "$1" 2>/dev/null | grep . || echo "$before"; }

reaches() { # URL: within 30 s
    .venv/bin/python - "$1" <<'PY'
import sys, time, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for attempt in range(300):
    try:
        with opener.open(sys.argv[1], timeout=2) as reply:
            sys.exit(reply.status >= 400)
    except OSError:
        time.sleep(0.1)
sys.exit(1)
PY
}

# -- the engine ------------------------------------------------------------------------------------

find_engine() {
    if [ -S "$ENGINE/docker.sock" ] || [ -f "$ENGINE/engine.env" ]; then
        export DOCKER_HOST="unix://$ENGINE/docker.sock"
        engine_answers || scripts/engine.sh start "$ENGINE" terrace0 free
    elif engine_answers; then
        say "using the Docker engine of this machine"
    else
        say "no Docker engine answers here: starting a private one in $ENGINE"
        scripts/engine.sh start "$ENGINE" terrace0 free
        export DOCKER_HOST="unix://$ENGINE/docker.sock"
    fi
}

settings() { # a server that is started later, by any command, has to find the private engine too
    [ -f "$ENGINE/engine.env" ] || return 0
    if [ -f "$SETTINGS" ] && ! grep -qxF "$MARK" "$SETTINGS"; then
        grep -qF "$ENGINE/docker.sock" "$SETTINGS" ||
            say "$SETTINGS is yours and stays as it is; the private engine is at unix://$ENGINE/docker.sock"
        return 0
    fi
    mkdir -p "$(dirname "$SETTINGS")"
    printf '%s\n\n[providers.local]\ndriver = "docker"\nhost = "unix://%s/docker.sock"\n' "$MARK" "$ENGINE" >"$SETTINGS"
}

folders() { # those on the way to ours that are not there yet: they go again, if they are empty then
    local folder
    for folder in "$STATE" "$(dirname "$SETTINGS")"; do
        while [ ! -d "$folder" ]; do
            made="folder=$folder"$'\n'"$made"
            folder=$(dirname "$folder")
        done
    done
}

# -- up --------------------------------------------------------------------------------------------

up() {
    local fresh=no url victim before began made=''
    [ -e "$STATE/demo.env" ] || [ -n "$(ls -A "$STATE" 2>/dev/null)" ] || fresh=yes
    folders
    mkdir -p -m 0700 "$STATE"
    printf '%s' "$made" >>"$NOTES"
    [ $fresh = no ] || note state=new
    find_engine
    settings
    [ -n "$(docker images -q --filter "label=terrace.recipe=$IMAGE")" ] || note image=new

    say "the base image, $IMAGE: built once from this machine's own package sources"
    show image build "$IMAGE"

    say "a template becomes running containers"
    show up "$TEMPLATE" -s "$STACK" --yes
    note stack=ours
    url=$("$TERRACE" output "$STACK" url)
    reaches "$url" || { echo "$url does not answer" >&2; exit 1; }
    show status "$STACK"

    say "and stays so: killing one machine behind Terrace's back"
    victim=$(docker ps --filter "label=terrace.stack=$STACK" --format '{{.Names}}' | sort | grep -m1 web)
    printf '$ docker kill %s\n' "$victim"
    before=$(started "$victim")
    docker kill "$victim" >/dev/null
    began=$EPOCHREALTIME
    until [ "$(started "$victim")" != "$before" ]; do sleep 0.05; done
    printf 'it runs again after %s s\n' "$(seconds "$began")"
    reaches "$url" || { echo "$url does not answer any more" >&2; exit 1; }
    show status "$STACK"

    cat <<END

== The shop answers at $url

Type next (or put .venv/bin on your PATH and leave it out):
    .venv/bin/terrace status $STACK
    .venv/bin/terrace events $STACK
    .venv/bin/terrace logs $STACK -f
    .venv/bin/terrace plan $TEMPLATE -s $STACK
    .venv/bin/terrace down $STACK
and when you have seen enough, every trace of it:
    make demo-down
END
}

# -- down ------------------------------------------------------------------------------------------

down() {
    local failed=no # with a private engine everything goes with it all the same
    if [ ! -f "$NOTES" ] && [ ! -f "$ENGINE/engine.env" ]; then
        echo "no demo here"
        return 0
    fi
    if noted stack=ours && [ -x "$TERRACE" ]; then
        if "$TERRACE" status "$STACK" >/dev/null 2>&1; then show down "$STACK" --yes || failed=yes; fi
    fi
    if noted state=new && [ -x "$TERRACE" ]; then show server stop || failed=yes; fi
    if [ $failed = yes ] && [ ! -f "$ENGINE/engine.env" ]; then
        echo "what is above has to be mended first: the stack is on an engine that is not the demo's own" >&2
        return 1
    fi
    if [ -f "$ENGINE/engine.env" ]; then
        say "stopping the private engine"
        scripts/engine.sh stop "$ENGINE"
    elif noted image=new; then
        docker images -q --filter "label=terrace.recipe=$IMAGE" | sort -u | xargs -r docker rmi -f >/dev/null
    fi
    if [ -f "$SETTINGS" ] && grep -qxF "$MARK" "$SETTINGS"; then rm -f "$SETTINGS"; fi
    local made
    made=$(sed -n 's/^folder=//p' "$NOTES" 2>/dev/null | awk '{print length, $0}' | sort -rn | cut -d' ' -f2-)
    if noted state=new; then rm -rf "$STATE"; else rm -f "$NOTES"; fi
    while read -r folder; do [ -z "$folder" ] || rmdir "$folder" 2>/dev/null || true; done <<<"$made"
    say "the demo is gone"
}

case "${1:-}" in
    up | down) "$1" ;;
    *) sed -n '2,3s/^# \?//p' "$0" >&2; exit 2 ;;
esac
