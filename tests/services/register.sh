#!/usr/bin/env bash
# The register of managers' transactions of examples/insider_trading, on loopback only.
#
# usage: register.sh      prints `ready REGISTER=URL` once it answers, and serves until it is ended
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d "${TMPDIR:-/tmp}/calve-register-XXXXXX")
mkfifo "$folder/open"
pid=
finish() {
  { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP
python3 examples/insider_trading/register.py <>"$folder/open" >"$folder/port" &
pid=$!
for ((tries = 200; ; tries--)); do
  [ -s "$folder/port" ] && break
  ((tries > 0)) || { echo "register.sh: no port came after 20 s" >&2; exit 1; }
  sleep 0.1
done
echo "ready REGISTER=http://127.0.0.1:$(cat "$folder/port")"
wait "$pid"
