#!/bin/sh
# Drives the bridge with both TypeScript SDKs, which are third-party clients:
# scripts/test-sdk.sh bin/bridge
# If npm cannot install them, the test is skipped with a message.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bridge=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! bin=$(sh "$here/node22.sh" "$work" @modelcontextprotocol/sdk@1.32.2 @modelcontextprotocol/client@2.4.0); then
	echo "SKIPPED: the TypeScript SDKs need Node 22 and npm (see above)"
	exit 0
fi
cp "$here"/sdk/*.mjs "$work" # Node looks for packages above the script's own folder
"$bin/node" "$work/legacy.mjs" "$bridge"
"$bin/node" "$work/modern.mjs" "$bridge"
