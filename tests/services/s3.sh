#!/usr/bin/env bash
# A real S3 service for tests: SeaweedFS, on loopback only, with its data in a folder that goes when it ends.
#
# usage: s3.sh      prints `ready NAME=VALUE ...` once it answers, and serves until it is ended
# PORT may be set; else free ones are taken (SeaweedFS needs 14 from there on).
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly weed=$PWD/.deps/test-venv/bin/weed host=127.0.0.1 key=testadmin secret=testsecret
readonly other_key=testother other_secret=othersecret  # of the same identity
fail() { echo "s3.sh: $*" >&2; exit 1; }
[ -x "$weed" ] || fail "SeaweedFS is missing: run tools/bootstrap test"

port=${PORT:-$(python3 -c '
import random, socket
while True:
    base = random.randrange(20000, 32000)
    try:
        for port in range(base, base + 14):
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        print(base)
        break
    except OSError:
        pass
')}
data=$(mktemp -d "${TMPDIR:-/tmp}/calve-s3-XXXXXX")
server=
finish() {
  # Not asked to end: it takes long to say goodbye, and nothing is kept.
  [ -z "$server" ] || { kill -KILL "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$data"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

cat >"$data/s3.json" <<JSON
{"identities": [{"name": "test", "credentials": [{"accessKey": "$key", "secretKey": "$secret"},
  {"accessKey": "$other_key", "secretKey": "$other_secret"}],
  "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
JSON
mkdir "$data/files"
# Four servers in one process. Telemetry would report to the maker; the short election saves 12 s of start.
"$weed" -logtostderr server -ip=$host -ip.bind=$host -dir="$data/files" \
  -master.port=$((port + 1)) -master.port.grpc=$((port + 11)) -master.volumeSizeLimitMB=64 -volume.max=0 \
  -master.telemetry=false -master.electionTimeout=500ms -master.heartbeatInterval=100ms \
  -volume.port=$((port + 2)) -volume.port.grpc=$((port + 12)) -volume.preStopSeconds=0 \
  -filer -filer.port=$((port + 3)) -filer.port.grpc=$((port + 13)) \
  -s3 -s3.port="$port" -s3.port.grpc=$((port + 10)) -s3.port.iceberg=0 -s3.port.lance=0 \
  -s3.config="$data/s3.json" -s3.iam=false </dev/null >"$data/log" 2>&1 &
server=$!

answers() (  # by bash alone: a bare machine has no curl
  exec 3<>"/dev/tcp/$host/$port" && printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3 && read -t 2 -r line <&3 && [[ $line == *" 200 "* ]]
) 2>/dev/null

for ((tries = 600; ; tries--)); do
  answers && break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$data/log" >&2; fail "SeaweedFS ended; the end of its log is above"; }
  ((tries > 0)) || fail "SeaweedFS is not ready after 60 s"
  sleep 0.1
done
echo "ready CALVE_TEST_S3_ENDPOINT=http://$host:$port CALVE_TEST_S3_KEY=$key CALVE_TEST_S3_SECRET=$secret \
CALVE_TEST_S3_OTHER_KEY=$other_key CALVE_TEST_S3_OTHER_SECRET=$other_secret"
wait "$server"
