#!/bin/sh
# Runs the official MCP conformance suite against `bridge gateway` in both eras of the
# protocol: scripts/test-gateway-conformance.sh bin/bridge
# Expected failures are listed in test/conformance/REVISION.yaml with their reasons. A
# scenario that fails without being listed is an error, and so is a listed one that passes.
# If npm cannot install the suite, the test is skipped with a message. NODE22 names a
# folder in which the suite is already installed.
set -eu
bridge=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")" && pwd)
expected=$(cd "$here/../test/conformance" && pwd)
work=$(mktemp -d)
started=
# shellcheck disable=SC2086 # several processes
trap 'kill $started 2>/dev/null || true; rm -rf "$work"' EXIT

if [ -n "${NODE22:-}" ]; then
	bin=$NODE22/node_modules/.bin
elif ! bin=$(sh "$here/node22.sh" "$work/node" @modelcontextprotocol/conformance@0.2.0-alpha.12); then
	echo "SKIPPED: the conformance suite needs Node 22 and npm (see above)"
	exit 0
fi
PATH="$bin:$PATH"
export PATH

# first FILE waits for the first line of a file and prints it.
first() {
	for _ in $(seq 600); do
		[ ! -s "$1" ] || { head -n 1 "$1"; return; }
		sleep 0.1
	done
	echo "$1 stayed empty" >&2
	return 1
}

store="$work/bridge.db"
"$bridge" serve --db "$store" </dev/null
: >"$work/gateway.log" # it must exist before it is followed, however late the gateway starts
"$bridge" gateway --db "$store" --listen 127.0.0.1:0 --plain --tools core,tasks,files --log-format text 2>>"$work/gateway.log" &
started=$!
tail -f -n +1 --pid=$started "$work/gateway.log" | sed -n '/the gateway listens/{s/.*address=\([^ ]*\).*/\1/p;q;}' >"$work/address"
KEY=$("$bridge" access add conformance --db "$store" 2>/dev/null)
export KEY

# The suite cannot send headers. This proxy adds the key, and changes nothing
# else.
node -e '
const http = require("http"), [host, port] = process.argv[1].split(":");
const server = http.createServer((q, s) => {
	const p = http.request({ host, port, method: q.method, path: q.url, headers: { ...q.headers, authorization: "Bearer " + process.env.KEY } }, (r) => {
		s.writeHead(r.statusCode, r.headers);
		s.flushHeaders();
		r.pipe(s);
	});
	p.on("error", () => s.destroy());
	s.on("close", () => p.destroy());
	q.pipe(p);
}).listen(0, "127.0.0.1", () => console.log(server.address().port));
' "$(first "$work/address")" >"$work/port" &
started="$started $!"
port=$(first "$work/port")

for revision in 2025-11-25 2026-07-28; do
	if ! conformance server --url "http://127.0.0.1:$port/mcp" --requirements "$revision" --timeout 60000 \
		--expected-failures "$expected/$revision.yaml" -o "$work/results" >"$work/log" 2>&1; then
		cat "$work/log"
		echo "FAILED: conformance at revision $revision"
		exit 1
	fi
	checks=$(sed -n 's/^Total: \([0-9]*\) passed.*/\1/p' "$work/log")
	[ "${checks:-0}" -ge 40 ] || { cat "$work/log"; echo "FAILED: the suite ran too few checks"; exit 1; }
	echo "conformance of the gateway at $revision: $checks checks pass, and only what test/conformance/$revision.yaml explains fails"
done
