#!/usr/bin/env bash
# A real Project Nessie 0.99 for tests, on loopback only, with everything in memory.
#
# usage: nessie.sh      prints `ready NAME=VALUE ...` once it answers, and serves until it is ended
# PORT may be set; else two free ones are taken. Needs a Java 21 or newer and, the first time, Maven. Where an S3 service runs
# (CALVE_TEST_S3_ENDPOINT), Nessie's own Iceberg REST door has a warehouse there.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly host=127.0.0.1 version=0.99.0 # the newest whose self-contained program is on Maven Central
fail() { echo "nessie.sh: $*" >&2; exit 1; }
java=
for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/*; do
  number=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null) || continue
  [ "${number:-0}" -lt 21 ] || { java=$home/bin/java && break; }
done
[ -n "$java" ] || fail "no Java 21 or newer found; install one, or set JAVA_HOME"

readonly jars=build/services/nessie-$version
mkdir -p build/services
exec 9>build/services/lock
flock 9
if [ ! -e "$jars/.done" ]; then
  command -v mvn >/dev/null || fail "Maven is missing; apt-get install maven"
  mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy -Dmdep.stripVersion=true \
    -Dartifact="org.projectnessie.nessie:nessie-quarkus:$version:jar:runner" -DoutputDirectory="$PWD/$jars" >&2
  touch "$jars/.done"
fi
exec 9>&-

port=${PORT:-$(python3 -c '
import random, socket
while True:
    port = random.randrange(20000, 32000)  # below those that the system gives away meanwhile
    try:
        with socket.socket() as s, socket.socket() as t:
            s.bind(("127.0.0.1", port))
            t.bind(("127.0.0.1", port + 1))
        print(port)
        break
    except OSError:
        pass
')}
folder=$(mktemp -d "${TMPDIR:-/tmp}/calve-nessie-XXXXXX")
server=
finish() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

cat >"$folder/application.properties" <<PROPERTIES
quarkus.http.host=$host
quarkus.http.port=$port
quarkus.management.host=$host
quarkus.management.port=$((port + 1))
quarkus.otel.sdk.disabled=true
quarkus.http.access-log.enabled=false
nessie.version.store.type=IN_MEMORY
PROPERTIES
if [ -n "${CALVE_TEST_S3_ENDPOINT:-}" ]; then
  cat >>"$folder/application.properties" <<PROPERTIES
nessie.catalog.default-warehouse=warehouse
nessie.catalog.warehouses.warehouse.location=s3://${NESSIE_BUCKET:-calve-catalogs}/nessie/
nessie.catalog.service.s3.default-options.endpoint=$CALVE_TEST_S3_ENDPOINT/
nessie.catalog.service.s3.default-options.path-style-access=true
nessie.catalog.service.s3.default-options.region=us-east-1
nessie.catalog.service.s3.default-options.request-signing-enabled=false
nessie.catalog.service.s3.default-options.access-key=urn:nessie-secret:quarkus:s3key
s3key.name=${CALVE_TEST_S3_KEY:-testadmin}
s3key.secret=${CALVE_TEST_S3_SECRET:-testsecret}
PROPERTIES
fi
"$java" -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dquarkus.config.locations="$folder/application.properties" \
  -jar "$jars/nessie-quarkus-runner.jar" </dev/null >"$folder/log" 2>&1 &
server=$!

answers() (  # by bash alone: a bare machine has no curl
  exec 3<>"/dev/tcp/$host/$port" && printf 'GET /api/v2/config HTTP/1.0\r\n\r\n' >&3 && read -t 5 -r line <&3 && [[ $line == *" 200 "* ]]
) 2>/dev/null

for ((tries = 900; ; tries--)); do
  answers && break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$folder/log" >&2; fail "Nessie ended; the end of its log is above"; }
  ((tries > 0)) || { tail -n 20 "$folder/log" >&2; fail "Nessie is not ready after 90 s"; }
  sleep 0.1
done
echo "ready CALVE_TEST_NESSIE=http://$host:$port/api/v2 CALVE_TEST_NESSIE_REST=http://$host:$port/iceberg CALVE_TEST_NESSIE_PID=$server"
wait "$server"
