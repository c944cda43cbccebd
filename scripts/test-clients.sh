#!/bin/sh
# Drives the bridge with the real clients, whose model is a stub on the loopback
# interface: scripts/test-clients.sh [ARGUMENT OF GO TEST…]
# Skips, and says so, where npm cannot install them in time. A folder in which
# they are already may be named by NODE22.
set -eu
cd "$(dirname "$0")/.."

# Newer ones may behave differently: docs/clients.md says what was measured.
packages="@anthropic-ai/claude-code@2.1.329 @openai/codex@0.169.0 @google/gemini-cli@0.61.0"
minutes=4 # for npm

if [ -z "${NODE22:-}" ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	NODE22="$work/clients"
	# shellcheck disable=SC2086 # a list of words
	if ! timeout "${minutes}m" sh scripts/node22.sh "$NODE22" $packages >/dev/null; then
		echo "!!! SKIPPED: the tests with the real clients need Node 22 and npm (see above)"
		exit 0
	fi
fi
export NODE22
for program in claude codex gemini; do
	PATH="$NODE22/node_modules/.bin:$PATH" "$program" --version || {
		echo "!!! SKIPPED: $program was installed, but does not run here"
		exit 0
	}
done
go test -count=1 -timeout 8m "$@" ./test/clients/...
