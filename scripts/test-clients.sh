#!/bin/sh
# Drives the bridge with the real clients, whose model is a stub on the loopback
# interface: scripts/test-clients.sh [ARGUMENT OF GO TEST…]
# The tests run twice: all of them with the newest versions that were examined, and
# those about what clients report to a server and how they are woken with earlier
# versions, which npm installs in the meantime.
# If npm cannot install the clients in time, the tests are skipped with a message.
# NODE22 can name a folder in which the clients are already installed; then the tests
# run once, with those.
set -eu
cd "$(dirname "$0")/.."

# Newer versions may behave differently: docs/clients.md describes what was
# measured.
newest="@anthropic-ai/claude-code@2.1.332 @openai/codex@0.171.0 @google/gemini-cli@0.61.0
	opencode-ai@1.18.33 @qwen-code/qwen-code@0.24.4 @github/copilot@1.0.102 cline@3.0.65
	@ampcode/cli@0.0.1790142911-g7618fb"
earlier="@anthropic-ai/claude-code@2.1.329 @openai/codex@0.169.0 @google/gemini-cli@0.60.0
	opencode-ai@1.18.32 @qwen-code/qwen-code@0.24.3 @github/copilot@1.0.92 cline@3.0.64
	@ampcode/cli@0.0.1789963237-g4ed0c7"
minutes=6 # for npm, each time
# These tests depend on the version of a client rather than on bridge alone.
versioned='Installed|AsksFor|Alone|HooksTell|Identity|ToldSession|MailWakes|Daemon|Hub|Talk|Served'

work=$(mktemp -d)
fetching=
trap '[ -z "$fetching" ] || kill "$fetching" 2>/dev/null || true; rm -rf "$work"' EXIT

# drive FOLDER runs the tests with the clients in it.
drive() {
	# Each version gets an empty home folder, because Copilot CLI runs the newest version
	# that it finds there.
	home=$(mktemp -d "$work/home.XXXXXX")
	for program in claude codex gemini opencode qwen copilot cline amp; do
		[ -e "$1/node_modules/.bin/$program" ] || continue
		printf '%s ' "$program"
		HOME="$home" PATH="$1/node_modules/.bin:$PATH" "$program" --version </dev/null || {
			echo "!!! SKIPPED: $program was installed, but does not run here"
			return 0
		}
	done
	folder=$1
	shift
	# Clients wait rather than compute, so run more tests than there are
	# processors.
	NODE22=$folder go test -count=1 -timeout 30m -parallel 4 "$@" ./test/clients/...
}

if [ -n "${NODE22:-}" ]; then
	drive "$NODE22" "$@"
	exit
fi
missing() { echo "!!! SKIPPED: the tests with the real clients need Node 22 and npm (see above)"; }

# shellcheck disable=SC2086 # a list of words
if ! timeout "${minutes}m" sh scripts/node22.sh "$work/newest" $newest >/dev/null; then
	missing
	exit
fi
# shellcheck disable=SC2086
timeout "${minutes}m" sh scripts/node22.sh "$work/earlier" $earlier >/dev/null &
fetching=$! # timeout ends what it runs when it is ended
drive "$work/newest" "$@"
if wait "$fetching"; then
	fetching=
	drive "$work/earlier" -run "$versioned" "$@"
else
	fetching=
	missing
fi
