#!/bin/sh
# Tests `bridge serve`, and `bridge gateway` over HTTPS with an access key, with `bridge harness` in
# both protocol eras. Then it tests three third-party servers, for which cases, probes and fuzzing
# must not raise a false alarm: scripts/test-harness.sh bin/bridge
# If npm cannot install the third-party servers, they are skipped with a message.
set -eu
bridge=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
suites=$(cd "$(dirname "$0")/../test/harness" && pwd)
work=$(mktemp -d)
started=
trap '[ -z "$started" ] || kill "$started" 2>/dev/null || true; rm -rf "$work"' EXIT
export BRIDGE="$bridge"

for revision in auto 2025-06-18 2025-11-25 2026-07-28; do
	echo "bridge serve at revision $revision"
	REVISION=$revision STORE="$work/$revision/bridge.db" "$bridge" harness run "$suites/bridge.yaml"
done

# The gateway is set up as for another machine: TLS with its own authority, and one key.
store="$work/gateway/bridge.db"
"$bridge" serve --db "$store" </dev/null
: >"$work/gateway.log" # it must exist before it is followed, however late the gateway starts
"$bridge" gateway --db "$store" --listen 127.0.0.1:0 --log-format text 2>>"$work/gateway.log" &
started=$!
tail -f -n +1 --pid=$started "$work/gateway.log" | sed -n '/the gateway listens/{p;q;}' >"$work/listens"
GATEWAY=https://$(sed 's/.*address=\([^ ]*\).*/\1/' "$work/listens")/mcp
KEY=$("$bridge" access add harness --db "$store" 2>/dev/null)
"$bridge" access authority --db "$store" >"$work/authority.pem"
for revision in 2026-07-28 2025-06-18 2025-11-25; do
	echo "bridge gateway at revision $revision"
	SSL_CERT_FILE="$work/authority.pem" GATEWAY="$GATEWAY" KEY="$KEY" REVISION=$revision \
		"$bridge" harness run "$suites/gateway.yaml"
done
SSL_CERT_FILE="$work/authority.pem" GATEWAY="$GATEWAY" KEY="$KEY" "$bridge" harness probe "$suites/gateway.yaml"
SSL_CERT_FILE="$work/authority.pem" GATEWAY="$GATEWAY" KEY="$KEY" "$bridge" harness fuzz --calls 20 "$suites/gateway.yaml"
echo "bridge gateway with a wrong key"
if SSL_CERT_FILE="$work/authority.pem" GATEWAY="$GATEWAY" KEY=wrong "$bridge" harness run "$suites/gateway.yaml"; then
	echo "the gateway answers without a valid key"
	exit 1
fi
kill "$started"
wait "$started" || true
started=

if ! command -v npm >/dev/null 2>&1 || ! (cd "$work" && npm install --silent --no-audit --no-fund --ignore-scripts \
	@modelcontextprotocol/server-everything@2026.8.31 \
	@modelcontextprotocol/server-filesystem@2026.8.31 \
	@modelcontextprotocol/server-memory@2026.8.31 >"$work/npm.log" 2>&1); then
	tail -n 3 "$work/npm.log" 2>/dev/null || true
	echo "SKIPPED: the third-party servers need npm and its registry (see above)"
	exit 0
fi
mkdir "$work/notes"
echo "a note" >"$work/notes/note.txt"
export BIN="$work/node_modules/.bin" NOTES="$work/notes" MEMORY="$work/memory.json"
for server in everything filesystem memory; do
	echo "server-$server"
	"$bridge" harness run "$suites/$server.yaml"
	"$bridge" harness probe "$suites/$server.yaml"
	# One tool of server-everything takes as long as its argument says.
	set --
	[ "$server" != everything ] || set -- --skip trigger-long-running-operation
	"$bridge" harness fuzz --calls 20 "$@" "$suites/$server.yaml"
done
