#!/usr/bin/env bash
# wormhole's main job on this machine, on loopback alone: scripts/quickstart.sh [--once]
# Builds, starts a server and the clients drone3 and gcs4, and lets a camera's RTP stream and MAVLink
# telemetry cross between them until Ctrl-C. With --once: for a few seconds, with a verdict (exit 0 or 1).
set -euo pipefail
cd "$(dirname "$0")/.."
once=
case ${1:-} in
  --once) once=1 ;;
  '') ;;
  *) sed -n '2,4s/^# //p' "$0"; exit 2 ;;
esac

say() { printf '\n== %s\n' "$*"; }
fail() {
  printf 'quickstart: %s\n' "$*" >&2
  for log in "$work"/*.log; do
    [ -s "$log" ] && { printf -- '--- the end of %s\n' "${log##*/}"; tail -n 12 "$log"; } >&2
  done
  exit 1
}

work=$(mktemp -d)
pids=()
traffic=
cleanup() {
  trap '' INT TERM
  [ -z "$traffic" ] || { kill "$traffic"; wait "$traffic"; } 2>/dev/null || true
  [ ${#pids[@]} = 0 ] || { kill "${pids[@]}" 2>/dev/null; wait "${pids[@]}" 2>/dev/null; } || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say "packages"
scripts/deps.sh build
say "build (the first time takes a few minutes)"
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -Wno-dev >"$work/cmake.log" 2>&1 || fail "cmake refused"
cmake --build build --target wormhole
rm "$work/cmake.log"
wormhole=build/wormhole

# A free UDP port for the server, so that a real one on this machine is left alone.
port=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/routes.yaml" <<YAML
server:
  addresses: [127.0.0.1]
  port: $port
  state_dir: $work/server
clients:
  drone3: {}
  gcs4: {}
flows:
  video:
    protocol: udp
    port: 5600
    from: drone3
    to: gcs4
    deliver: {gcs4: "127.0.0.1:5601"}
  mavlink:
    protocol: udp
    port: 14550
    between: [drone3, gcs4]
YAML

# wait_for WHAT COMMAND..: until the command succeeds, at most 10 s.
wait_for() {
  local what=$1 end=$((SECONDS + 10))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "$what did not happen within 10 s"
    sleep 0.05
  done
}
connected() {  # bind address: its client has the server and a path to its peer
  "$wormhole" status --bind "$1" --json 2>/dev/null | python3 -c '
import json, sys
s = json.load(sys.stdin)
sys.exit(not (s["server"]["connected"] and s["peers"] and s["peers"][0]["path"] != "none"))'
}

say "a server on 127.0.0.1:$port, and a code for each client"
"$wormhole" server -c "$work/routes.yaml" >"$work/server.log" 2>&1 &
pids+=($!)
wait_for "the server's start" test -S "$work/server/control.sock"
for who in drone3:127.1.0.1 gcs4:127.1.0.2; do
  id=${who%%:*} bind=${who##*:}
  "$wormhole" invite "$id" -c "$work/routes.yaml" >"$work/$id.code" 2>"$work/$id-invite.log" || fail "no code for $id"
  "$wormhole" enroll --state-dir "$work/$id" <"$work/$id.code" >"$work/$id-enroll.log" 2>&1 || fail "$id could not enrol"
  "$wormhole" client --id "$id" --state-dir "$work/$id" --bind "$bind" >"$work/$id.log" 2>&1 &
  pids+=($!)
done
for bind in 127.1.0.1 127.1.0.2; do wait_for "the connection of the client on $bind" connected "$bind"; done
echo "drone3 (127.1.0.1) and gcs4 (127.1.0.2) are connected"

if [ -n "$once" ]; then
  say "five seconds of video and telemetry"
  python3 scripts/quickstart_traffic.py --seconds 5 || fail "not everything arrived"
  "$wormhole" status --bind 127.1.0.1
  say "all of it arrived"
  exit 0
fi
say "video and telemetry, until Ctrl-C"
cat <<TEXT
From another terminal:
  $wormhole status --bind 127.1.0.1 --watch      drone3's view (127.1.0.2: gcs4's)
  curl http://127.1.0.1:7781/v1/status               the same as JSON
  exec 3<>/dev/udp/127.1.0.2/14550; printf hello >&3 bash: speak to drone3's applications on the flow mavlink
  head -c 200 <&3 | od -c | head                     and hear what the drone says
TEXT
echo
python3 scripts/quickstart_traffic.py &
traffic=$!
wait $traffic
