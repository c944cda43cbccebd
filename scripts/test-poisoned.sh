#!/bin/sh
# Runs tests as on the machine of a bridge user: with a home folder, settings, a
# store and environment variables that no test may use:
# scripts/test-poisoned.sh [ARGUMENT OF GO TEST…]
set -eu
cd "$(dirname "$0")/.."

# The Go tools keep their files in the real home folder.
GOCACHE=$(go env GOCACHE) GOMODCACHE=$(go env GOMODCACHE) GOPATH=$(go env GOPATH)
export GOCACHE GOMODCACHE GOPATH

poison=$(mktemp -d)
trap 'rm -rf "$poison"' EXIT
bad="this is not a configuration {{{"
mkdir -p "$poison/home/.claude" "$poison/home/.codex" "$poison/home/.gemini" \
	"$poison/config/bridge" "$poison/state/bridge" "$poison/home/.config/bridge" "$poison/home/.local/state/bridge"
for file in home/.claude.json home/.claude/settings.json home/.codex/config.toml home/.codex/hooks.json \
	home/.gemini/settings.json home/.gitconfig home/.config/bridge/config.toml config/bridge/config.toml \
	home/.local/state/bridge/bridge.db state/bridge/bridge.db; do
	echo "$bad" >"$poison/$file"
done
chmod -R a-w "$poison/home" "$poison/state" "$poison/config" # nothing may be written there either
# The Go tools count their own runs in these files.
before=$(find "$poison" -path "*/go/telemetry" -prune -o -type f -exec cksum {} + | sort)

status=0
env HOME="$poison/home" XDG_CONFIG_HOME="$poison/config" XDG_STATE_HOME="$poison/state" \
	BRIDGE_DB="$poison/state/bridge/bridge.db" BRIDGE_CONFIG="$poison/config/bridge/config.toml" \
	BRIDGE_CONVERSATION_ID=conv_0000000000000000 BRIDGE_SESSION_ID=a BRIDGE_TOKEN=poison BRIDGE_LOG_LEVEL=poison \
	BRIDGE_RATE_PER_MINUTE=poison YOLO_MODE=1 \
	CLAUDE_CODE_SESSION_ID=poison CLAUDE_CONFIG_DIR="$poison/home/.claude" CODEX_HOME="$poison/home/.codex" \
	GEMINI_CLI_HOME="$poison/home" QWEN_CODE_SESSION_ID=poison COPILOT_AGENT_SESSION_ID=poison \
	go test "$@" || status=$?

chmod -R u+w "$poison"
after=$(find "$poison" -path "*/go/telemetry" -prune -o -type f -exec cksum {} + | sort)
if [ "$before" != "$after" ]; then
	printf "%s\n" "$before" >"$poison/before"
	printf "%s\n" "$after" | diff "$poison/before" - >&2 || true
	echo "a test wrote into the home folder of the user who runs it" >&2
	exit 1
fi
exit "$status"
