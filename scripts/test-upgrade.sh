#!/usr/bin/env bash
# test-upgrade.sh [REVISION]: replaces the program of a store while agents are running, from
# an older revision with an older schema by the working tree, and goes back using a backup.
# If the clone does not contain the revision, the test is skipped with a message.
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
