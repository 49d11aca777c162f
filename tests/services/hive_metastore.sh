#!/usr/bin/env bash
# A real Hive Metastore for tests, on loopback only, with its data in a folder that goes when it ends.
#
# usage: hive_metastore.sh      prints `ready NAME=VALUE ...` once it answers, and serves until it is ended
# PORT may be set; else a free one is taken. HIVE_VERSION is 3.1.3 (the default), over Derby, or a 4, over the PostgreSQL of postgres.sh, since
# over Derby it does not compare parameters; its variables begin with CALVE_TEST_HIVE4. Needs a Java 17 and, the first time, Maven.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly host=127.0.0.1 source=tests/services/hive_metastore
fail() { echo "hive_metastore.sh: $*" >&2; exit 1; }
java=$(tests/interop/java_home)/bin/java

readonly version=${HIVE_VERSION:-3.1.3}
case $version in
  3.*) artifact=hive-standalone-metastore tool=MetastoreSchemaTool type=derby driver=org.apache.derby.jdbc.EmbeddedDriver url= user= password= ;;
  *)
    artifact=hive-standalone-metastore-server tool=schematool.MetastoreSchemaTool type=postgres driver=org.postgresql.Driver
    [[ ${CALVE_TEST_POSTGRES:-} =~ ^postgresql://([^:]*):([^@]*)@(.*)$ ]] || fail "Hive $version needs postgres.sh to run before it"
    user=${BASH_REMATCH[1]} password=${BASH_REMATCH[2]} url=jdbc:postgresql://${BASH_REMATCH[3]}
    ;;
esac
wanted=$(sha256sum "$source/pom.xml" | cut -c1-16)-$version
readonly installed=$PWD/build/services/hive_metastore-$wanted
mkdir -p build/services
exec 9>build/services/lock
flock 9
if [ ! -e "$installed/.done" ]; then
  command -v mvn >/dev/null || fail "Maven is missing; apt-get install maven"
  rm -rf "$installed"
  mvn -q -B -f "$source/pom.xml" -Dhive.artifact="$artifact" -Dhive.version="$version" \
    dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$installed/jars" >&2
  mkdir "$installed/hive"
  tar xzf "$installed"/jars/*-bin.tar.gz -C "$installed/hive" --strip-components=1
  rm "$installed"/jars/*-bin.tar.gz
  touch "$installed/.done"
fi
exec 9>&-

port=${PORT:-$(python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
')}
folder=$(mktemp -d "${TMPDIR:-/tmp}/calve-hive-XXXXXX")
server=
finish() {
  [ -z "$server" ] || { kill -KILL "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

[ -n "$url" ] || url="jdbc:derby:;databaseName=$folder/db;create=true"
mkdir "$folder/conf"
{
  echo '<configuration>'
  while IFS='|' read -r key value; do echo "<property><name>$key</name><value>$value</value></property>"; done <<SITE
metastore.thrift.bind.host|$host
metastore.thrift.port|$port
metastore.thrift.uris|
metastore.warehouse.dir|file://$folder/warehouse
metastore.warehouse.external.dir|file://$folder/warehouse
metastore.expression.proxy|org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy
metastore.task.threads.always|org.apache.hadoop.hive.metastore.events.EventCleanerTask
metastore.event.db.notification.api.auth|false
javax.jdo.option.ConnectionURL|$url
javax.jdo.option.ConnectionDriverName|$driver
javax.jdo.option.ConnectionUserName|${user:-APP}
javax.jdo.option.ConnectionPassword|${password:-mine}
hadoop.tmp.dir|$folder/tmp
SITE
  echo '</configuration>'
} >"$folder/conf/metastore-site.xml"
opens=()
for package in lang net io util util.concurrent util.regex time; do opens+=("--add-opens=java.base/java.$package=ALL-UNNAMED"); done
command=("$java" "${opens[@]}" -Xmx512m -XX:+UseSerialGC -cp "$folder/conf:$installed/hive/lib/*:$installed/jars/*")
export METASTORE_HOME=$installed/hive
cd "$folder"
"${command[@]}" org.apache.hadoop.hive.metastore.tools.$tool -dbType $type -initSchema >"$folder/log" 2>&1 ||
  { tail -n 20 "$folder/log" >&2; fail "the schema could not be made; the end of the log is above"; }
"${command[@]}" org.apache.hadoop.hive.metastore.HiveMetaStore -p "$port" </dev/null >>"$folder/log" 2>&1 &
server=$!

answers() { (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; }
for ((tries = 900; ; tries--)); do
  answers && break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$folder/log" >&2; fail "the metastore ended; the end of its log is above"; }
  ((tries > 0)) || { tail -n 20 "$folder/log" >&2; fail "the metastore is not ready after 90 s"; }
  sleep 0.1
done
case $version in 3.*) name=CALVE_TEST_HIVE ;; *) name=CALVE_TEST_HIVE4 ;; esac
echo "ready $name=thrift://$host:$port ${name}_FOLDER=$folder ${name}_PID=$server"
wait "$server"
