#!/usr/bin/env bash
# stripe-mock for tests: replies with Stripe's shapes, on loopback only. It is built once, by Go, into build/services.
#
# usage: stripe_mock.sh      prints `ready CALVE_TEST_STRIPE=URL` once it answers, and serves until it is ended
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly version=v0.203.0 program=$PWD/build/services/stripe-mock host=127.0.0.1
fail() { echo "stripe_mock.sh: $*" >&2; exit 1; }

if [ ! -x "$program" ]; then
  command -v go >/dev/null || fail "Go is missing: install it, so that stripe-mock can be built"
  mkdir -p "${program%/*}"
  GOBIN=$program.making go install "github.com/stripe/stripe-mock@$version" >&2
  mv "$program.making/stripe-mock" "$program"
  rmdir "$program.making"
fi
port=${PORT:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}
log=$(mktemp "${TMPDIR:-/tmp}/calve-stripe-XXXXXX")
server=
finish() {
  [ -z "$server" ] || { kill -KILL "$server" && wait "$server"; } 2>/dev/null || true
  rm -f "$log"
}
trap finish EXIT
trap 'exit 0' TERM INT HUP
"$program" -http-addr $host:"$port" </dev/null >"$log" 2>&1 &
server=$!
for ((tries = 100; ; tries--)); do
  (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null && break
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$log" >&2; fail "stripe-mock ended; the end of its log is above"; }
  ((tries > 0)) || fail "stripe-mock is not ready after 10 s"
  sleep 0.1
done
echo "ready CALVE_TEST_STRIPE=http://$host:$port"
wait "$server"
