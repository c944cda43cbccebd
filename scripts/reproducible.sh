#!/bin/sh
# Builds the program twice for each platform, from two folders and with two caches,
# one of them empty, and compares the results: scripts/reproducible.sh GOOS/GOARCH…
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git archive --format=tar HEAD -o "$work/sources.tar"
for copy in first second/deeper; do
	mkdir -p "$work/$copy"
	tar -xf "$work/sources.tar" -C "$work/$copy"
done
for platform in "$@"; do
	for copy in first second/deeper; do
		(
			cd "$work/$copy"
			# The modules are shared, but not the compiled packages.
			[ "$copy" = first ] || export GOCACHE="$work/cache"
			GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0 \
				go build -trimpath -buildvcs=false -ldflags '-s -w -X example.org/bridge/internal/cli.buildVersion=v0.0.0' -o "$work/out-$(basename "$copy")" ./cmd/bridge
		)
	done
	one=$(sha256sum <"$work/out-first")
	two=$(sha256sum <"$work/out-deeper")
	if [ "$one" != "$two" ]; then
		echo "$platform: two builds of the same sources differ" >&2
		exit 1
	fi
	echo "$platform: ${one%% *}"
done
