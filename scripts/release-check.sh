#!/bin/sh
# Makes a release of the last commit in a folder of its own, without publishing it,
# signs it with a key that is thrown away, verifies it as users do, and installs what is for
# this machine: scripts/release-check.sh GORELEASER [VERSION]
# GORELEASER is a package for `go run` or a program. With a version such as 0.2.0 the copy
# gets its tag, and the release its name; otherwise it is a snapshot.
set -eu
goreleaser=${1:?usage: release-check.sh GORELEASER [VERSION]}
version=${2:-}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $goreleaser in
*@*) GOBIN="$work" go install "$goreleaser" && goreleaser="$work/goreleaser" ;;
esac
git clone -q . "$work/bridge"
cd "$work/bridge"
git remote set-url origin https://github.com/example/bridge.git # the check wants one
"$goreleaser" check
ssh-keygen -q -t ed25519 -N '' -C release -f "$work/key"
set -- --clean --skip=publish --parallelism 2
if [ -n "$version" ]; then
	# What the commit of a release changes: the version of the packages (packaging/packages_test.go).
	grep -rl '"version": "[0-9.]*"' server.json .claude-plugin plugins extensions packaging/mcpb packaging/npm |
		xargs sed -i "s/\"version\": \"[0-9.]*\"/\"version\": \"$version\"/"
	git -c user.name=release -c user.email=release@example.org commit -q --allow-empty -am "Release $version"
	git tag "v$version"
else
	set -- "$@" --snapshot
fi
RELEASE_KEY="$work/key" "$goreleaser" release "$@"
mkdir "$work/release"
cp dist/*.tar.gz dist/*.tgz dist/*.zip dist/*.deb dist/*.rpm dist/*.cdx.json dist/SHA256SUMS dist/SHA256SUMS.sig "$work/release"
echo "release namespaces=\"bridge-release\" $(cat "$work/key.pub")" >"$work/signers"
scripts/release-verify.sh "$work/release" "$work/signers"
scripts/release-install.sh "$work/release" "$version"
