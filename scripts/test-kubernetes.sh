#!/bin/sh
# Validates the manifests with Kubernetes' own schemas, without a cluster, for the
# oldest version that supports everything they use: scripts/test-kubernetes.sh
# VALIDATOR [KUSTOMIZE]
# Both are programs or packages for `go run`. Without KUSTOMIZE, the manifests are
# validated one by one, and not as kustomize combines them.
set -eu
validator=${1:?usage: test-kubernetes.sh VALIDATOR [KUSTOMIZE]}
kustomize=${2:-}
cd "$(dirname "$0")/../deploy/kubernetes"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# built prints the path of a program, which is built first if it is given as a package.
# The last part of a module's path may be its major version.
built() {
	case $1 in
	*@*)
		GOBIN="$work/bin" go install "$1"
		name=$(basename "${1%@*}")
		case $name in v[0-9]*) name=$(basename "$(dirname "${1%@*}")") ;; esac
		echo "$work/bin/$name"
		;;
	*) echo "$1" ;;
	esac
}
validator=$(built "$validator")
[ -z "$kustomize" ] || kustomize=$(built "$kustomize")
find base file postgres -name '*.yaml' ! -name kustomization.yaml | sort | xargs "$validator" --version 1.30
# This would not be noticed by a validator that accepts everything.
sed 's/fsGroupChangePolicy/fsGroupChangePolice/' file/deployment.yaml >"$work/spoiled.yaml"
if "$validator" --version 1.30 "$work/spoiled.yaml" >/dev/null 2>&1; then
	echo "the validator accepts a field that does not exist" >&2
	exit 1
fi
if [ -z "$kustomize" ]; then
	echo "SKIPPED: kustomize build, no kustomize was given"
	exit 0
fi
for variant in file postgres; do
	"$kustomize" build "$variant" >"$work/$variant.yaml"
	"$validator" --version 1.30 "$work/$variant.yaml"
	if grep -q 'image: bridge$' "$work/$variant.yaml"; then
		echo "$variant: no image was set" >&2
		exit 1
	fi
done
