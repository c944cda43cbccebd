#!/usr/bin/env bash
# compare-redact.sh BASE [ROUNDS]: compares the speed of redaction at a commit and
# in the working tree. Both test binaries are built once and run in turns, on one
# processor and with a fixed number of iterations. The result is the best user CPU
# time of all rounds, as milliseconds for 50 KB, and the ratio.
set -euo pipefail
base=${1:?usage: compare-redact.sh BASE [ROUNDS]}
rounds=${2:-5}
top=$(git rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'git -C "$top" worktree remove --force "$work/tree" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
git -C "$top" worktree add --quiet --detach "$work/tree" "$base"
(cd "$work/tree" && go test -c -o "$work/base.test" ./internal/redact)
(cd "$top" && go test -c -o "$work/now.test" ./internal/redact)
cd "$top/internal/redact"

# user prints the user CPU time of one benchmark in seconds.
user() {
	local TIMEFORMAT=%U
	{ time GOMAXPROCS=1 "$work/$1.test" -test.run '^$' -test.bench "$2" -test.benchtime "$3x" >/dev/null 2>&1; } 2>&1
}

for row in 'prose1K 20000' 'prose50K 400' 'code50K 200' 'dense50K 100' 'soup 20'; do
	read -r name count <<<"$row"
	bench="^BenchmarkRedact\$/^$name\$"
	[ "$name" != soup ] || bench='^BenchmarkAdversarial$/^soup$'
	for _ in $(seq "$rounds"); do
		echo "base $(user base "$bench" "$count") $count"
		echo "now $(user now "$bench" "$count") $count"
	done | awk -v name="$name" '
		{ if (!($1 in best) || $2 < best[$1]) best[$1] = $2; count = $3 }
		END { printf "%-9s base %8.4f ms  now %8.4f ms  ratio %.2f\n", name, best["base"]/count*1000, best["now"]/count*1000, best["now"]/best["base"] }'
done
