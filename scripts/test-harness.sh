#!/bin/sh
# Tests `bridge serve` with `bridge harness`, in both protocol eras, then three servers of
# others, which must raise no false alarm in cases, probes and fuzzing:
# scripts/test-harness.sh bin/bridge
# Skips the servers of others, and says so, where npm cannot install them.
set -eu
bridge=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
suites=$(cd "$(dirname "$0")/../test/harness" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BRIDGE="$bridge"

for revision in auto 2025-06-18 2025-11-25 2026-07-28; do
	echo "bridge serve at revision $revision"
	REVISION=$revision STORE="$work/$revision/bridge.db" "$bridge" harness run "$suites/bridge.yaml"
done

if ! command -v npm >/dev/null 2>&1 || ! (cd "$work" && npm install --silent --no-audit --no-fund --ignore-scripts \
	@modelcontextprotocol/server-everything@2026.8.31 \
	@modelcontextprotocol/server-filesystem@2026.8.31 \
	@modelcontextprotocol/server-memory@2026.8.31 >"$work/npm.log" 2>&1); then
	tail -n 3 "$work/npm.log" 2>/dev/null || true
	echo "SKIPPED: servers of others need npm and its registry (see above)"
	exit 0
fi
mkdir "$work/notes"
echo "a note" >"$work/notes/note.txt"
export BIN="$work/node_modules/.bin" NOTES="$work/notes" MEMORY="$work/memory.json"
for server in everything filesystem memory; do
	echo "server-$server"
	"$bridge" harness run "$suites/$server.yaml"
	"$bridge" harness probe "$suites/$server.yaml"
	# server-everything has a tool that takes as long as it is told to: fuzzing waits for it.
	[ "$server" = everything ] || "$bridge" harness fuzz --calls 20 "$suites/$server.yaml"
done
