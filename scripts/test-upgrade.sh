#!/usr/bin/env bash
# test-upgrade.sh [REVISION]: changes the program of a store while agents run, from an older
# revision, of an older schema, to the working tree, and goes back by a backup.
# Skips, and says so, where the history does not reach back to it.
set -euo pipefail
revision=${1:-003f9f39beba392dff626be28d5d48245c2248d2}
top=$(git rev-parse --show-toplevel)
if ! git -C "$top" cat-file -e "$revision^{commit}" 2>/dev/null; then
	echo "SKIPPED: revision $revision is not in this clone"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tree"
git -C "$top" archive "$revision" | tar -x -C "$work/tree"
(cd "$work/tree" && CGO_ENABLED=0 go build -o "$work/bridge" ./cmd/bridge)
cd "$top"
go test -count=1 ./internal/cli -run '^TestUpgrade$' -v -cli.older "$work/bridge" | tee "$work/out"
grep -q '^--- PASS: TestUpgrade ' "$work/out"
