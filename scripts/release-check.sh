#!/bin/sh
# Makes a release of the last commit in a separate folder without publishing it, signs it with
# a temporary key, verifies it like a user would, and installs what is for this machine:
# scripts/release-check.sh GORELEASER
# GORELEASER is a package for `go run` or a program. The copy is tagged with the version in
# server.json, which is the release's name.
set -eu
goreleaser=${1:?usage: release-check.sh GORELEASER}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $goreleaser in
*@*)
	GOBIN="$work" go install "$goreleaser"
	goreleaser="$work/goreleaser"
	;;
esac
git clone -q . "$work/bridge"
cd "$work/bridge"
git remote set-url origin https://github.com/example/bridge.git # the check wants one
"$goreleaser" check
ssh-keygen -q -t ed25519 -N '' -C release -f "$work/key"
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' server.json)
git tag -f "v$version" >/dev/null
RELEASE_KEY="$work/key" "$goreleaser" release --clean --skip=publish --parallelism 2
mkdir "$work/release"
for file in dist/*; do
	case $file in
	dist/artifacts.json | dist/config.yaml | dist/metadata.json) ;; # goreleaser's own
	*) [ ! -f "$file" ] || cp "$file" "$work/release" ;;
	esac
done
echo "release namespaces=\"bridge-release\" $(cat "$work/key.pub")" >"$work/signers"
scripts/release-verify.sh "$work/release" "$work/signers"
scripts/release-install.sh "$work/release" "$version"
