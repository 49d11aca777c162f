#!/usr/bin/env bash
# Iceberg's own REST catalog server for tests, on loopback only, with its data in a folder that goes when it ends.
#
# usage: rest_reference.sh      prints `ready NAME=VALUE ...` once it answers, and serves until it is ended
# PORT may be set; else a free one is taken. FOLDER may be set; then it is kept. Needs a Java 17 and, the first time, Maven.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly host=127.0.0.1 source=tests/services/rest_reference
fail() { echo "rest_reference.sh: $*" >&2; exit 1; }
java=$(tests/interop/java_home)/bin/java

wanted=$(sha256sum "$source/pom.xml" | cut -c1-16)
readonly jars=build/services/rest_reference-$wanted
mkdir -p build/services
exec 9>build/services/lock
flock 9
if [ ! -e "$jars/.done" ]; then
  command -v mvn >/dev/null || fail "Maven is missing; apt-get install maven"
  mvn -q -B -f "$source/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$PWD/$jars" \
    -DexcludeArtifactIds=jdk.tools >&2
  touch "$jars/.done"
fi
exec 9>&-

port=${PORT:-$(python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
')}
folder=${FOLDER:-$(mktemp -d "${TMPDIR:-/tmp}/calve-rest-XXXXXX")}
server=
finish() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  [ -n "${FOLDER:-}" ] || rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

"$java" -Xmx256m -XX:+UseSerialGC -cp "$jars/*" "$source/RestReference.java" "$port" "$folder" </dev/null >"$folder/log" 2>&1 &
server=$!

answers() (  # by bash alone: a bare machine has no curl
  exec 3<>"/dev/tcp/$host/$port" && printf 'GET /v1/config HTTP/1.0\r\n\r\n' >&3 && read -t 5 -r line <&3 && [[ $line == *" 200 "* ]]
) 2>/dev/null

for ((tries = 600; ; tries--)); do
  answers && break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$folder/log" >&2; fail "the server ended; the end of its log is above"; }
  ((tries > 0)) || { tail -n 20 "$folder/log" >&2; fail "the server is not ready after 60 s"; }
  sleep 0.1
done
echo "ready CALVE_TEST_REST=http://$host:$port CALVE_TEST_REST_FOLDER=$folder CALVE_TEST_REST_PID=$server"
wait "$server"
