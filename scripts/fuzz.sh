#!/bin/sh
# Runs every fuzz target of the module for a time: scripts/fuzz.sh 10s
set -eu
time=${1:-10s}
go list -f '{{if .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | while read -r package; do
	[ -n "$package" ] || continue
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "fuzz $package $target for $time"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null
	done
done
