#!/bin/sh
# Tests the servers in examples/ with `bridge harness`: run, probe and fuzz.
# scripts/test-examples.sh bin/bridge
# Without python3 the example in Python is skipped, and without npm the one in TypeScript,
# each with a message.
set -eu
bridge=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")" && pwd)
examples=$(cd "$here/../examples" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# tested NAME SUITE runs a suite, and calls the server with the given arguments.
tested() {
	echo "example: $1"
	"$bridge" harness validate "$2"
	"$bridge" harness run "$2" --report-dir "$work/reports"
	"$bridge" harness probe "$2"
	"$bridge" harness fuzz --calls 30 --seed 1 "$2"
}

(cd "$examples/go" && go build -o "$work/words" .)
WORDS="$work/words" tested go "$examples/go/suite.yaml"

if command -v python3 >/dev/null 2>&1; then
	tested python "$examples/python/suite.yaml"
else
	echo "SKIPPED: the example in Python needs python3"
fi

# The server is tested in the folder that contains its packages.
cp -R "$examples/typescript" "$work/typescript"
if bin=$(sh "$here/node22.sh" "${NODE22:-"$work/node"}" 2>"$work/npm.log") &&
	(cd "$work/typescript" && npm install --silent --no-audit --no-fund --ignore-scripts >>"$work/npm.log" 2>&1); then
	PATH="$bin:$PATH" tested typescript "$work/typescript/suite.yaml"
else
	tail -n 3 "$work/npm.log"
	echo "SKIPPED: the example in TypeScript needs npm and its registry (see above)"
fi
