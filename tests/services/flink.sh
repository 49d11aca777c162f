#!/usr/bin/env bash
# A real Flink 2.1 for tests, on loopback only: its SQL gateway with a cluster of its own in the same process, and Iceberg's connector 1.11.
#
# usage: flink.sh      prints `ready NAME=VALUE ...` once it answers, and serves until it is ended
# PORT may be set; else a free one is taken. Needs a Java 17 and, the first time, Maven and pip (400 MB).
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly host=127.0.0.1 source=$PWD/tests/services/flink
fail() { echo "flink.sh: $*" >&2; exit 1; }
java=$(tests/interop/java_home)/bin/java

wanted=$(cat "$source"/pom.xml "$source"/requirements.txt | sha256sum | cut -c1-16)
readonly installed=$PWD/build/services/flink-$wanted
mkdir -p build/services
exec 9>build/services/flink.lock
flock 9
if [ ! -e "$installed/.done" ]; then
  command -v mvn >/dev/null || fail "Maven is missing; apt-get install maven"
  rm -rf "$installed"
  mvn -q -B -f "$source/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$installed/jars" >&2
  python3 -m pip install -q --disable-pip-version-check --no-deps --require-hashes --target "$installed/python" -r "$source/requirements.txt" >&2
  touch "$installed/.done"
fi
exec 9>&-
readonly flink=$installed/python/pyflink

port=${PORT:-$(python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
')}
folder=$(mktemp -d "${TMPDIR:-/tmp}/calve-flink-XXXXXX")
server=
finish() {
  [ -z "$server" ] || { kill -KILL "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

mkdir "$folder/tmp"
cat >"$folder/config.yaml" <<YAML
execution.target: local
execution.runtime-mode: batch
rest.address: $host
rest.bind-address: $host
jobmanager.rpc.address: $host
jobmanager.bind-host: $host
taskmanager.host: $host
taskmanager.bind-host: $host
taskmanager.numberOfTaskSlots: 2
taskmanager.memory.network.min: 64m
taskmanager.memory.network.max: 64m
taskmanager.memory.managed.size: 128m
io.tmp.dirs: $folder/tmp
table.dml-sync: true
table.local-time-zone: UTC
sql-gateway.endpoint.rest.address: $host
sql-gateway.endpoint.rest.bind-address: $host
sql-gateway.endpoint.rest.port: $port
YAML
opens=()
for package in lang net io util util.concurrent util.concurrent.atomic lang.reflect nio time text; do
  opens+=("--add-opens=java.base/java.$package=ALL-UNNAMED")
done
export FLINK_CONF_DIR=$folder FLINK_OPT_DIR=$flink/opt FLINK_LIB_DIR=$flink/lib FLINK_PLUGINS_DIR=$flink/plugins
cd "$folder"
"$java" -Xmx1g -XX:+UseSerialGC -Djava.io.tmpdir="$folder/tmp" "${opens[@]}" -cp "$flink/lib/*:$(echo "$flink"/opt/flink-sql-client-*.jar):$installed/jars/*" \
  org.apache.flink.table.gateway.SqlGateway </dev/null >"$folder/log" 2>&1 &
server=$!

answers() (
  exec 3<>"/dev/tcp/$host/$port" && printf 'GET /v1/info HTTP/1.0\r\n\r\n' >&3 && read -t 5 -r line <&3 && [[ $line == *" 200 "* ]]
) 2>/dev/null

for ((tries = 150; ; tries--)); do
  answers && break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$folder/log" >&2; fail "Flink ended; the end of its log is above"; }
  ((tries > 0)) || { tail -n 20 "$folder/log" >&2; fail "Flink is not ready after 90 s"; }
  sleep 0.1
done
echo "ready CALVE_TEST_FLINK=http://$host:$port CALVE_TEST_FLINK_FOLDER=$folder CALVE_TEST_FLINK_PID=$server"
wait "$server"
