#!/usr/bin/env bash
# setup.sh tools|venv|pins : makes a bare Debian 12 machine ready. Installs only what is missing, so the
# second run takes no time. Needs root or sudo only when something has to be installed.
#   tools   what the real engine needs: dockerd, mmdebstrap, iptables, ...
#   venv    .venv from the pinned, hashed requirements, with Terrace itself installed in place
#   pins    requirements*.txt again from requirements*.in (needs the network; commit what it writes)
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "\"$*\" has to run as root, and there is no sudo here"
    fi
}

# have COMMAND: also looks where an ordinary user's PATH does not.
have() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1; }

install_packages() {
    command -v apt-get >/dev/null || die "missing: $*. Only Debian and its relatives are set up by this script"
    say "installing $*"
    local log
    log=$(mktemp)
    if ! { as_root apt-get -qq update && as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
        --no-install-recommends -o Dpkg::Use-Pty=0 install "$@"; } >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        die "apt-get could not install $*"
    fi
    rm -f "$log"
}

tools() {
    local missing=()
    have dockerd && have docker || missing+=(docker.io)
    have mmdebstrap || missing+=(mmdebstrap)
    have iptables || missing+=(iptables)
    have nft || missing+=(nftables)
    have ip || missing+=(iproute2)
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || have initdb || missing+=(postgresql)
    have git || missing+=(git)
    have ps || missing+=(procps)
    have slapd || missing+=(slapd)
    have busybox || missing+=(busybox-static)
    [ "$(id -u)" = 0 ] || have newuidmap || missing+=(uidmap) # mmdebstrap without root
    have setsid || missing+=(util-linux)
    [ -d /usr/share/keyrings ] && ls /usr/share/keyrings/debian-archive-keyring.* >/dev/null 2>&1 ||
        missing+=(debian-archive-keyring)
    have update-ca-certificates || missing+=(ca-certificates)
    [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

usable_python() { # a Python 3.11 or newer that can make a virtual environment
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local python
    for python in "${PYTHON:-python3}" python3.13 python3.12 python3.11 /usr/bin/python3; do
        if usable_python "$python"; then command -v "$python"; return; fi
    done
    return 1
}

venv() {
    local stamp=.venv/.stamp wanted python
    wanted=$( (cat requirements-dev.txt scripts/setup.sh; sed -n "/^\[project/,/^# ---/p" pyproject.toml) | sha256sum)
    if [ -x .venv/bin/python ] && [ "$(cat $stamp 2>/dev/null)" = "$wanted" ]; then return; fi
    if ! python=$(find_python); then
        install_packages python3 python3-venv
        python=$(find_python) || die "no Python 3.11 or newer that can make a virtual environment"
    fi
    say ".venv with $python ($("$python" -V))"
    usable_python .venv/bin/python || rm -rf .venv
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
    printf '%s\n' "$wanted" >$stamp
}

pins() {
    local uv
    uv=$(mktemp -d)
    trap "rm -rf '$uv'" EXIT
    "$(find_python)" -m venv "$uv"
    "$uv/bin/python" -m pip install -qq --disable-pip-version-check uv
    for name in requirements requirements-dev; do
        "$uv/bin/uv" pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
            --no-annotate --no-emit-index-url --no-emit-find-links "$@" "$name.in" -o "$name.txt"
    done
}

case "${1:-}" in
    tools | venv | pins) "$@" ;;
    *) sed -n '2,6s/^# \?//p' "$0" >&2; exit 2 ;;
esac
