#!/usr/bin/env bash
# A real Trino 483 for tests, on loopback only, with its Iceberg connector; catalogs are made by CREATE CATALOG and live in memory.
#
# usage: trino.sh      prints `ready NAME=VALUE ...` once it answers, and serves until it is ended
# PORT may be set; else a free one is taken. Needs a Java 25 and, the first time, Maven (480 MB).
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly host=127.0.0.1 version=483 source=$PWD/tests/services/trino
fail() { echo "trino.sh: $*" >&2; exit 1; }
java=
for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/*; do
  number=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null) || continue
  [ "${number:-0}" -lt 25 ] || { java=$home/bin/java && break; }
done
[ -n "$java" ] || fail "no Java 25 or newer found; install one, or set JAVA_HOME"

readonly installed=$PWD/build/services/trino-$version
mkdir -p build/services
exec 9>build/services/trino.lock
flock 9
if [ ! -e "$installed/.done" ]; then
  command -v mvn >/dev/null || fail "Maven is missing; apt-get install maven"
  rm -rf "$installed"
  mvn -q -B -f "$source/main.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$installed/lib" >&2
  mvn -q -B -f "$source/iceberg.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$installed/plugin/iceberg" >&2
  # The published jars don't say which class of theirs is the plugin.
  python3 -c '
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as jar:
    jar.writestr("META-INF/services/io.trino.spi.Plugin", "io.trino.plugin.iceberg.IcebergPlugin\n")
' "$installed/plugin/iceberg/plugin.jar"
  touch "$installed/.done"
fi
exec 9>&-

port=${PORT:-$(python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
')}
folder=$(mktemp -d "${TMPDIR:-/tmp}/calve-trino-XXXXXX")
server=
finish() {
  [ -z "$server" ] || { kill -KILL "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

mkdir "$folder/secrets-plugin"
cat >"$folder/config.properties" <<PROPERTIES
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port=$port
discovery.uri=http://$host:$port
query.max-memory-per-node=256MB
plugin.dir=$installed/plugin
catalog.management=dynamic
catalog.store=memory
PROPERTIES
cd "$folder"
"$java" -cp "$installed/lib/*" -Xmx1536M -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -XX:ReservedCodeCacheSize=256M \
  -Djdk.attach.allowAttachSelf=true -Djdk.nio.maxCachedBufferSize=2000000 -Duser.timezone=UTC --enable-native-access=ALL-UNNAMED \
  --add-modules=jdk.incubator.vector --sun-misc-unsafe-memory-access=allow \
  -Dnode.environment=test -Dnode.id=local -Dnode.data-dir="$folder/data" -Dnode.internal-address=$host -Dnode.bind-ip=$host \
  -Dconfig="$folder/config.properties" "$source/TrinoMain.java" $version </dev/null >"$folder/log" 2>&1 &
server=$!

answers() (
  exec 3<>"/dev/tcp/$host/$port" && printf 'GET /v1/info HTTP/1.0\r\n\r\n' >&3 && timeout 5 cat <&3 | grep -q '"starting":false'
) 2>/dev/null

for ((tries = 1800; ; tries--)); do
  answers && break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$folder/log" >&2; fail "Trino ended; the end of its log is above"; }
  ((tries > 0)) || { tail -n 20 "$folder/log" >&2; fail "Trino is not ready after 180 s"; }
  sleep 0.1
done
echo "ready CALVE_TEST_TRINO=http://$host:$port CALVE_TEST_TRINO_FOLDER=$folder CALVE_TEST_TRINO_PID=$server"
wait "$server"
