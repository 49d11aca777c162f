#!/usr/bin/env bash
# A real PostgreSQL for tests, on loopback only, with its data in a folder that goes when it ends.
#
# usage: postgres.sh      prints `ready NAME=VALUE ...` once it answers, and serves until it is ended
# PORT may be set; else a free one is taken. SYNC=on has it sync what it commits. SIGUSR1 kills it with -9 and starts it again.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly host=127.0.0.1 user=calve password=secret
fail() { echo "postgres.sh: $*" >&2; exit 1; }
installed=$(echo .deps/test-venv/lib/python3*/site-packages)
[ -x "$installed/pgserver/pginstall/bin/postgres" ] || fail "PostgreSQL is missing: run tools/bootstrap test"

port=${PORT:-$(python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
')}
folder=$(mktemp -d /tmp/calve-postgres-XXXXXX)  # not in TMPDIR, where the user that PostgreSQL runs as may not look
server=
finish() {
  [ -z "$server" ] || { kill -QUIT "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

# PostgreSQL does not run as root, and another user may not be able to look into this checkout.
as_other=()
mkdir "$folder/installed"
cp -r "$installed"/{pgserver,pgserver.libs} "$folder/installed"
readonly bin=$folder/installed/pgserver/pginstall/bin
echo "$password" >"$folder/password"
if [ "$(id -u)" = 0 ]; then
  as_other=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  chown -R nobody:nogroup "$folder"
fi
(cd / && "${as_other[@]}" "$bin/initdb" -D "$folder/data" -U $user -A scram-sha-256 --pwfile="$folder/password" \
  -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1) || { tail -n 20 "$folder/log" >&2; fail "initdb failed; its words are above"; }
launch() {
  (cd / && exec "${as_other[@]}" "$bin/postgres" -D "$folder/data" -p "$port" -h $host -k "$folder" -c fsync="${SYNC:-off}" \
    -c max_connections=50 -c log_min_messages=fatal </dev/null >>"$folder/log" 2>&1) &
  server=$!
}
# Wait until it answers; when `again` is given, start it again as often as it ends meanwhile: the processes of one that was killed hold its
# memory until they notice.
await() {
  local tries
  for ((tries = 300; ; tries--)); do
    # It takes connections before it answers them.
    "$bin/pg_isready" -q -h $host -p "$port" && break
    if ! kill -0 "$server" 2>/dev/null; then
      [ -n "${1:-}" ] || { tail -n 20 "$folder/log" >&2; fail "PostgreSQL ended; the end of its log is above"; }
      launch
    fi
    ((tries > 0)) || fail "PostgreSQL is not ready after 30 s"
    sleep 0.1
  done
}
launch
await

killed=
trap 'killed=yes; kill -KILL "$server" 2>/dev/null || true' USR1
echo "ready CALVE_TEST_POSTGRES=postgresql://$user:$password@$host:$port/postgres CALVE_TEST_POSTGRES_PID=$server CALVE_TEST_POSTGRES_SERVICE=$$ CALVE_TEST_PSQL=$folder/installed/pgserver/pginstall/bin/psql"
while :; do
  wait "$server" || true
  kill -0 "$server" 2>/dev/null && continue
  [ -n "$killed" ] || { tail -n 20 "$folder/log" >&2; fail "PostgreSQL ended; the end of its log is above"; }
  killed=
  await again
done
