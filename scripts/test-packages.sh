#!/bin/sh
# Runs the vendors' own validators on the Claude Code plugin, the Gemini CLI
# extension and the .mcpb bundle: scripts/test-packages.sh
# NODE22 names a folder that keeps what npm installs. If npm cannot install the
# validators, the test is skipped with a message.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! bin=$(sh scripts/node22.sh "${NODE22:-$work/node}" @anthropic-ai/claude-code@2.1.329 @google/gemini-cli@0.61.0 @anthropic-ai/mcpb@2.1.2); then
	echo "SKIPPED: the validators of plugin, extension and bundle need Node 22 and npm (see above)"
	exit 0
fi

go run ./scripts/mcpb "$work/dist" "$(go env GOOS)/$(go env GOARCH)"
bundle=$(ls "$work"/dist/*.mcpb)

PATH="$bin:$PATH"
HOME="$work/home"
DISABLE_AUTOUPDATER=1
export PATH HOME DISABLE_AUTOUPDATER
mkdir "$HOME"

echo "== Claude Code plugin"
claude plugin validate --strict .
claude plugin validate --strict plugins/claude
claude plugin marketplace add "$PWD"
claude plugin install bridge@bridge
claude plugin list | grep -q 'bridge@bridge'

echo "== Gemini CLI extension"
gemini extensions validate extensions/gemini 2>&1 | tee "$work/gemini"
grep -q 'successfully validated' "$work/gemini"

yes | gemini extensions install "$PWD/extensions/gemini" --consent >"$work/gemini" 2>&1 || { cat "$work/gemini"; exit 1; }
gemini extensions list 2>&1 | grep -q '^ MCP servers:'

echo "== .mcpb bundle"
mcpb validate packaging/mcpb/manifest.json
mcpb unpack "$bundle" "$work/unpacked"
mcpb validate "$work/unpacked/manifest.json"
program=$(find "$work/unpacked/server" -name 'bridge*')
chmod +x "$program"
printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"ping"}' | BRIDGE_DB="$work/state/bridge.db" "$program" serve | grep -q '"id":1'
echo "ok: the vendors' validators accept plugin, extension and bundle"
