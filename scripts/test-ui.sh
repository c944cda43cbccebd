#!/bin/sh
# Tests the operator's page in a real Chromium: scripts/test-ui.sh [PICTURES]
# With PICTURES, a folder, it writes screenshots to it instead.
# If npm cannot install the packages, or Chromium is not installed, the test is
# skipped with a message; with NEED_BROWSER=1 it fails.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
skip() {
	echo "SKIPPED: $1" >&2
	[ -n "${NEED_BROWSER:-}" ] && exit 1
	exit 0
}
browser=
for name in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
	browser=$(command -v "$name") && break
done
[ -n "$browser" ] || skip "Chromium is not here (Debian: apt-get install chromium); CHROMIUM names another program"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sh "$here/node22.sh" "$work" playwright-core@1.65.1 axe-core@4.14.1 >/dev/null || skip "Node 22 and npm are needed (see above)"
cd "$here/.."
if [ $# -gt 0 ]; then
	pictures=$(mkdir -p "$1" && cd "$1" && pwd)
	go test -count=1 -timeout 20m ./internal/ui -run TestPictures -args -ui.packages "$work" -ui.browser "$browser" -ui.pictures "$pictures"
else
	go test -count=1 -timeout 20m ./internal/ui -run TestBrowser -args -ui.packages "$work" -ui.browser "$browser"
fi
