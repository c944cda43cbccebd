#!/bin/sh
# Makes a release of the last commit in a folder of its own, without publishing it,
# signs it with a key that is thrown away, and verifies it as users do:
# scripts/release-check.sh GORELEASER, a package for `go run` or a program.
set -eu
goreleaser=${1:?usage: release-check.sh GORELEASER}
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
RELEASE_KEY="$work/key" "$goreleaser" release --clean --snapshot --skip=publish --parallelism 2
mkdir "$work/release"
cp dist/*.tar.gz dist/*.zip dist/*.cdx.json dist/SHA256SUMS dist/SHA256SUMS.sig "$work/release"
echo "release namespaces=\"bridge-release\" $(cat "$work/key.pub")" >"$work/signers"
scripts/release-verify.sh "$work/release" "$work/signers"
