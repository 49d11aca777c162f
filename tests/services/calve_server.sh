#!/usr/bin/env bash
# calve's own catalog server for tests, on loopback only, with its data in a folder that goes when it ends.
#
# usage: calve_server.sh [PROGRAM]      prints `ready NAME=VALUE ...` once it answers, and serves until it is ended
# Without an argument the program is PROGRAM, or build/calve.
set -euo pipefail
program=$(realpath "${1:-${PROGRAM:-$(dirname "$0")/../../build/calve}}")
fail() { echo "calve_server.sh: $*" >&2; exit 1; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/calve-server-XXXXXX")
server=
finish() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

for name in "${!CALVE_TEST_@}"; do unset "$name"; done  # they are about the program under test
printf 'warehouse: lake\ncatalogs:\n  served: {type: sql}\n' >"$folder/calve.yaml"
: >"$folder/out"
"$program" -C "$folder" catalog serve --host 127.0.0.1 --port 0 </dev/null >"$folder/out" 2>"$folder/log" &
server=$!
for ((tries = 300; ; tries--)); do
  address=$(sed -nE 's|.*(http://127[^ ]*).*|\1|p' "$folder/out" | head -n 1)
  [ -z "$address" ] || break
  kill -0 "$server" 2>/dev/null || { cat "$folder/log" >&2; fail "the server ended; its words are above"; }
  ((tries > 0)) || fail "the server is not ready after 30 s"
  sleep 0.1
done
echo "ready CALVE_TEST_REST_KIND=calve CALVE_TEST_REST=$address CALVE_TEST_REST_FOLDER=$folder CALVE_TEST_REST_PID=$server"
wait "$server"
