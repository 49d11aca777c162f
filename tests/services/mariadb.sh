#!/usr/bin/env bash
# A real MariaDB for tests, on loopback only, with its data in a folder that goes when it ends.
#
# usage: mariadb.sh      prints `ready NAME=VALUE ...` once it answers, and serves until it is ended
# PORT may be set; else a free one is taken. BINLOG=off has it write no binary log.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly host=127.0.0.1 user=calve password=secret database=test
fail() { echo "mariadb.sh: $*" >&2; exit 1; }
for program in mariadbd mariadb-install-db mariadb; do
  [ -n "$(PATH=$PATH:/usr/sbin type -P $program)" ] || fail "MariaDB is missing ($program): run tools/bootstrap test"
done

port=${PORT:-$(python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
')}
unset TMPDIR  # the user that MariaDB runs as may not write there
folder=$(mktemp -d /tmp/calve-mariadb-XXXXXX)
mkdir "$folder/tmp"  # of its own: a server that starts deletes what others keep in theirs
server=
finish() {
  # Not asked to end: it takes long to say goodbye, and nothing is kept.
  [ -z "$server" ] || { kill -KILL "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

# MariaDB does not run as root.
as_other=()
if [ "$(id -u)" = 0 ]; then
  as_other=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  chown -R nobody:nogroup "$folder"
fi
(cd / && "${as_other[@]}" mariadb-install-db --no-defaults --datadir="$folder/data" --tmpdir="$folder/tmp" --auth-root-authentication-method=normal --skip-test-db \
  --innodb-log-file-size=64M >"$folder/log" 2>&1) || { tail -n 20 "$folder/log" >&2; fail "mariadb-install-db failed; its words are above"; }
cat >"$folder/init.sql" <<SQL
CREATE DATABASE $database;
CREATE USER $user@'$host' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO $user@'$host' WITH GRANT OPTION;
SQL
chmod 644 "$folder/init.sql"
log_options=()
[ "${BINLOG:-on}" = off ] || log_options=(--server-id=1 --log-bin=binlog --binlog-format=ROW)
(cd / && exec "${as_other[@]}" "$(PATH=$PATH:/usr/sbin type -P mariadbd)" --no-defaults --datadir="$folder/data" --tmpdir="$folder/tmp" --bind-address=$host --port="$port" \
  --socket="$folder/socket" --pid-file="$folder/pid" --skip-name-resolve --character-set-server=utf8mb4 --innodb-log-file-size=64M \
  --innodb-buffer-pool-size="${BUFFER:-64M}" --innodb-flush-log-at-trx-commit=0 --sync-binlog=0 --skip-innodb-doublewrite \
  --innodb-flush-method=nosync --max-connections=50 --local-infile=1 "${log_options[@]}" --init-file="$folder/init.sql" \
  </dev/null >>"$folder/log" 2>&1) &
server=$!
# A client that is connected: `client -e SQL`, or SQL on its standard input.
cat >"$folder/client" <<SH
#!/bin/sh
MYSQL_PWD=$password exec mariadb --no-defaults -h $host -P $port -u $user -N -B --default-character-set=utf8mb4 --local-infile=1 "\$@" $database
SH
chmod +x "$folder/client"
for ((tries = 300; ; tries--)); do
  "$folder/client" -e 'SELECT 1' >/dev/null 2>&1 && break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$folder/log" >&2; fail "MariaDB ended; the end of its log is above"; }
  ((tries > 0)) || fail "MariaDB is not ready after 30 s"
  sleep 0.1
done
echo "ready CALVE_TEST_MARIADB=mysql://$user:$password@$host:$port/$database CALVE_TEST_MARIADB_PID=$server CALVE_TEST_MARIADB_CLIENT=$folder/client"
wait "$server" || true
tail -n 20 "$folder/log" >&2
fail "MariaDB ended; the end of its log is above"
