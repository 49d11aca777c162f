#!/usr/bin/env bash
# A real Apache Kafka 4.4.0 for tests, one node, on loopback only.
#
# usage: kafka.sh       prints `ready NAME=VALUE ...` once it answers, and serves until it is ended
# PORT may be set (the controller takes the next one); else two free ones are taken. DATA may be set: a folder that stays; the broker's pid is in
# DATA/pid, for whoever kills it, and running this again with the same PORT and DATA brings it back. Needs a Java 17 or newer and, the first
# time, Maven.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly host=127.0.0.1 version=4.4.0
fail() { echo "kafka.sh: $*" >&2; exit 1; }
java=
for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/*; do
  number=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null) || continue
  [ "${number:-0}" -lt 17 ] || { java=$home/bin/java && break; }
done
[ -n "$java" ] || fail "no Java 17 or newer found; install one, or set JAVA_HOME"

readonly dist=$PWD/build/services/kafka-$version
mkdir -p build/services
exec 9>build/services/lock
flock 9
if [ ! -e "$dist/.done" ]; then
  command -v mvn >/dev/null || fail "Maven is missing; apt-get install maven"
  mkdir -p "$dist"
  # The tools' own interface is named by the broker, which does not need it; not every version of it is there to be had.
  cat >"$dist/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>calve.test</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version>
<exclusions><exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion></exclusions></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.5</version></dependency>
</dependencies></project>
POM
  (cd "$dist" && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DincludeScope=runtime -DoutputDirectory=lib) >&2
  printf '%s\n' 'appender.c.type = Console' 'appender.c.name = c' 'appender.c.layout.type = PatternLayout' \
    'appender.c.layout.pattern = [%d] %p %m (%c)%n' 'rootLogger.level = WARN' 'rootLogger.appenderRef.c.ref = c' \
    'logger.started.name = kafka.server.KafkaRaftServer' 'logger.started.level = INFO' >"$dist/log4j2.properties"
  touch "$dist/.done"
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
if [ -n "${DATA:-}" ]; then folder=$DATA; mkdir -p "$folder"; else folder=$(mktemp -d "${TMPDIR:-/tmp}/calve-kafka-XXXXXX"); fi
server=
finish() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  [ -n "${DATA:-}" ] || rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP
cat >"$folder/server.properties" <<PROPS
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$host:$((port + 1))
listeners=PLAINTEXT://$host:$port,CONTROLLER://$host:$((port + 1))
advertised.listeners=PLAINTEXT://$host:$port
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$folder/log
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.segment.bytes=16777216
log.cleaner.dedupe.buffer.size=16777216
PROPS
java_options=(-Dlog4j2.configurationFile="$dist/log4j2.properties" -cp "$dist/lib/*")
if [ ! -e "$folder/log/meta.properties" ]; then
  "$java" -Xmx256m -XX:TieredStopAtLevel=1 "${java_options[@]}" kafka.tools.StorageTool format \
    -t "$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | tr -d =)" -c "$folder/server.properties" >"$folder/format.log" 2>&1 ||
    fail "the folder could not be prepared: $(tail -n 3 "$folder/format.log")"
fi
: >"$folder/out"
"$java" -Xms256m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError "${java_options[@]}" \
  kafka.Kafka "$folder/server.properties" >"$folder/out" 2>&1 &
server=$!
echo "$server" >"$folder/pid"
for _ in $(seq 600); do
  if grep -q 'Kafka Server started' "$folder/out"; then break; fi
  kill -0 "$server" 2>/dev/null || fail "it ended: $(tail -n 5 "$folder/out")"
  sleep 0.1
done
grep -q 'Kafka Server started' "$folder/out" || fail "it did not start within 60 seconds"
echo "ready CALVE_TEST_KAFKA=$host:$port"
wait "$server"
