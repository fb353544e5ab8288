#!/bin/sh
# Joins two ends by FIFOs and waits for both: pair.sh "COMMAND OF THE CALLER" "… OF THE LISTENER"
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/there" "$dir/back"
timeout 90 sh -c "exec $2" <"$dir/there" >"$dir/back" &
listener=$!
failed=0
timeout 90 sh -c "exec $1" >"$dir/there" <"$dir/back" || failed=1
wait "$listener" || failed=1
exit $failed
