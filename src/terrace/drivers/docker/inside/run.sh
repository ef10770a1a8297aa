#!/bin/sh
# Runs `config` of a deployment's folder, once: what was begun is never begun again. Its output and its exit code stay there.
d=$1
[ ! -e "$d/status" ] || exit 0
mkdir "$d/running" 2>/dev/null || exit 0
cd /
"$d/config" >"$d/stdout" 2>"$d/stderr"
printf '%s\n' "$?" >"$d/status.new"
mv "$d/status.new" "$d/status"
