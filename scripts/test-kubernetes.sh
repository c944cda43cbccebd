#!/bin/sh
# Lets Kubernetes' own schemas look at the manifests, without a cluster, for the oldest
# version that has all that they use: scripts/test-kubernetes.sh VALIDATOR KUSTOMIZE,
# programs or packages for `go run`. The second may be left out: then the manifests are
# looked at one by one, and not as kustomize puts them together.
set -eu
validator=${1:?usage: test-kubernetes.sh VALIDATOR [KUSTOMIZE]}
kustomize=${2:-}
cd "$(dirname "$0")/../deploy/kubernetes"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# built is the path of a program, built from its package where it is one. A module's last
# part may be its major version.
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
# What a validator that accepts everything would not notice.
sed 's/fsGroupChangePolicy/fsGroupChangePolice/' file/deployment.yaml >"$work/spoiled.yaml"
if "$validator" --version 1.30 "$work/spoiled.yaml" >/dev/null 2>&1; then
	echo "the validator accepts a field that there is not" >&2
	exit 1
fi
if [ -z "$kustomize" ]; then
	echo "SKIPPED: kustomize build, no kustomize was named"
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
