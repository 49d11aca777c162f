#!/usr/bin/env bash
# A web site for tests, on loopback only (site.py).
#
# usage: site.sh      prints `ready CALVE_TEST_SITE=URL CALVE_TEST_OTHER_SITE=URL` once it answers, and serves until it is ended
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d "${TMPDIR:-/tmp}/calve-site-XXXXXX")
mkfifo "$folder/open"
pid=
finish() {
  { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP
python3 tests/services/site.py <>"$folder/open" >"$folder/ports" &
pid=$!
for ((tries = 200; ; tries--)); do
  [ -s "$folder/ports" ] && break
  ((tries > 0)) || { echo "site.sh: no port came after 20 s" >&2; exit 1; }
  sleep 0.1
done
read -r site other <"$folder/ports"
echo "ready CALVE_TEST_SITE=http://127.0.0.1:$site CALVE_TEST_OTHER_SITE=http://127.0.0.1:$other"
wait "$pid"
