#!/bin/sh
# Runs the official conformance suite directly against a server's own HTTP transport,
# and against the same server over stdio behind `bridge harness shim`, and compares the
# results of each scenario: scripts/test-harness-conformance.sh bin/bridge
# If npm cannot install the suite, the test is skipped with a message. The server is the
# one that the Go SDK of MCP provides for this suite.
set -eu
bridge=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
started=
# shellcheck disable=SC2086 # several processes
trap 'kill $started 2>/dev/null || true; rm -rf "$work"' EXIT

if ! bin=$(sh "$here/node22.sh" "$work/node" @modelcontextprotocol/conformance@0.2.0-alpha.12); then
	echo "SKIPPED: the conformance suite needs Node 22 and npm (see above)"
	exit 0
fi
PATH="$bin:$PATH"
export PATH
(cd "$here/.." && go build -o "$work/server" github.com/modelcontextprotocol/go-sdk/conformance/everything-server)

free_port() { node -e 's=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

# reachable PORT waits until a server listens.
reachable() {
	node -e '
const end = Date.now() + 60000, port = +process.argv[1];
(function look() {
	require("net").connect(port, "127.0.0.1").on("connect", () => process.exit(0)).on("error", () => {
		if (Date.now() > end) { console.error("nobody listens"); process.exit(1); }
		setTimeout(look, 50);
	});
})();' "$1"
}

# scenarios NAME PORT REVISION writes the result of each scenario to NAME.
scenarios() {
	conformance server --url "http://127.0.0.1:$2/mcp" --requirements "$3" --timeout 120000 -o "$work/results" >"$work/log" 2>&1 || true
	sed -n 's/^\([✓✗] .*\)/\1/p' "$work/log" | sort >"$work/$1"
	rm -rf "$work/results"
	[ -s "$work/$1" ] || { cat "$work/log"; echo "the suite reported nothing"; exit 1; }
}

# offer PORT COMMAND… starts a server and waits for it.
offer() {
	port=$1
	shift
	"$@" >"$work/$port.log" 2>&1 &
	started="$started $!"
	reachable "$port"
}

shim=$(free_port)
offer "$shim" "$bridge" harness shim --port "$shim" -- "$work/server"
for revision in 2025-11-25 2026-07-28; do
	# Only clients of the newest revision work without sessions.
	stateless=true
	[ "$revision" = 2026-07-28 ] || stateless=false
	native=$(free_port)
	offer "$native" "$work/server" -http "127.0.0.1:$native" -stateless="$stateless"
	scenarios native "$native" "$revision"
	scenarios shim "$shim" "$revision"
	# A server that closes a stream deliberately, to make the client reconnect, cannot do
	# so over stdio: the scenario passes without that check.
	for one in native shim; do
		sed -i.all 's/^\(✓ server-sse-polling:\).*/\1 passed/' "$work/$one"
	done
	if ! diff "$work/native" "$work/shim"; then
		echo "FAILED: revision $revision differs (< native, > shim)"
		exit 1
	fi
	echo "conformance at $revision: $(wc -l <"$work/shim" | tr -d ' ') scenarios give the same result through the shim"
done
