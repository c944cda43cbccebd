#!/bin/sh
# Verifies a release that was downloaded: scripts/release-verify.sh FOLDER SIGNERS
# FOLDER holds SHA256SUMS, SHA256SUMS.sig and the files; SIGNERS is a file of allowed
# signers (ssh-keygen(1), ALLOWED SIGNERS) with the release key of this project, which
# comes from somewhere else than the release.
# Every file must be listed and fit, and every bill of materials must say what the
# program in its archive says of itself.
set -eu
folder=${1:?usage: release-verify.sh FOLDER SIGNERS}
signers=$(realpath "${2:?usage: release-verify.sh FOLDER SIGNERS}")
scripts=$(realpath "$(dirname "$0")")
cd "$folder"
ssh-keygen -Y verify -f "$signers" -I release -n bridge-release -s SHA256SUMS.sig <SHA256SUMS
for file in *; do
	case $file in SHA256SUMS | SHA256SUMS.sig) continue ;; esac
	[ -f "$file" ] || continue
	grep -q "  $file\$" SHA256SUMS || { echo "$file is not in SHA256SUMS" >&2; exit 1; }
done
sha256sum --check --strict --quiet SHA256SUMS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for archive in bridge_*.tar.gz; do
	tar -xzf "$archive" -C "$work" bridge
	(cd "$scripts/.." && go run ./scripts/sbom "$work/bridge" "$work/sbom.json")
	cmp "$work/sbom.json" "${archive%.tar.gz}.cdx.json" || { echo "the bill of materials of $archive is not that of its program" >&2; exit 1; }
done
echo "verified: signature, checksums, bills of materials"
