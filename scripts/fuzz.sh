#!/bin/sh
# Runs every fuzz target of the module for a given time: scripts/fuzz.sh 10s
set -eu
time=${1:-10s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Fuzzes one target. A run that failed only because its time was up is repeated,
# at most twice: on a busy machine the go command reports "context deadline
# exceeded" if the time is up while a worker still answers. A finding always
# names its input.
fuzz() {
	for try in 1 2 3; do
		if go test -run '^$' -fuzz "^$2\$" -fuzztime "$time" "$1" </dev/null >"$log" 2>&1; then
			tail -n 3 "$log"
			return
		fi
		cat "$log"
		grep -q 'context deadline exceeded' "$log" || return 1
		if grep -q 'Failing input' "$log"; then return 1; fi
		echo "fuzz $1 $2: the time was up before a worker had answered (try $try)"
	done
	return 1
}

# The targets are read from the files, since asking the test binaries would link them
# all.
go list -f '{{range .XTestGoFiles}}{{$.ImportPath}} {{$.Dir}}/{{.}}
{{end}}' ./... | while read -r package file; do
	[ -n "$package" ] || continue
	sed -n 's/^func \(Fuzz[[:alnum:]_]*\)(f \*testing\.F) {.*/\1/p' "$file" | while read -r target; do
		echo "fuzz $package $target for $time"
		fuzz "$package" "$target"
	done
done
