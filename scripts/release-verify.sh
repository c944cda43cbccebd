#!/bin/sh
# Verifies a downloaded release: scripts/release-verify.sh FOLDER SIGNERS
# FOLDER contains SHA256SUMS, SHA256SUMS.sig and the files. SIGNERS is a file of allowed
# signers (ssh-keygen(1), ALLOWED SIGNERS) with this project's release key, which must not
# come from the release itself.
# Every file must be listed with its digest. Every bill of materials must match the program
# in its archive. The formula and server.json must name the archives and bundles by their
# digests.
set -eu
folder=${1:?usage: release-verify.sh FOLDER SIGNERS}
signers=${2:?usage: release-verify.sh FOLDER SIGNERS}
signers=$(cd "$(dirname "$signers")" && pwd -P)/$(basename "$signers")
scripts=$(cd "$(dirname "$0")" && pwd -P)
cd "$folder"

# digest prints the digest of a file in the list.
digest() {
	awk -v file="$1" '$2 == file { print $1 }' SHA256SUMS
}

ssh-keygen -Y verify -f "$signers" -I release -n bridge-release -s SHA256SUMS.sig <SHA256SUMS
for file in *; do
	case $file in SHA256SUMS | SHA256SUMS.sig) continue ;; esac
	[ -f "$file" ] || continue
	[ -n "$(digest "$file")" ] || { echo "$file is not in SHA256SUMS" >&2; exit 1; }
done
if command -v sha256sum >/dev/null; then
	sha256sum --check --strict --quiet SHA256SUMS
else
	shasum -a 256 --check --strict --quiet SHA256SUMS
fi

# names checks that a file names another, existing file with its digest.
names() {
	if [ -z "$(digest "$2")" ] || ! grep -qF "$(digest "$2")" "$1"; then
		echo "$1 does not list $2 with its digest" >&2
		exit 1
	fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$scripts/.." && go build -o "$work/sbom" ./scripts/sbom)
for archive in bridge_*.tar.gz bridge_*.zip; do
	[ -f "$archive" ] || continue
	case $archive in
	*.tar.gz)
		program=$work/bridge bill=${archive%.tar.gz}.cdx.json
		tar -xzf "$archive" -C "$work" bridge
		;;
	*)
		program=$work/bridge.exe bill=${archive%.zip}.cdx.json
		if command -v unzip >/dev/null; then
			unzip -qo "$archive" bridge.exe -d "$work"
		elif command -v python3 >/dev/null; then
			python3 -m zipfile -e "$archive" "$work"
		else
			echo "SKIPPED: the bill of materials of $archive, neither unzip nor python3 is installed"
			continue
		fi
		;;
	esac
	"$work/sbom" "$program" "$work/sbom.json"
	cmp "$work/sbom.json" "$bill" || { echo "the bill of materials of $archive does not match its program" >&2; exit 1; }
done
for archive in bridge_*_darwin_*.tar.gz bridge_*_linux_*.tar.gz; do
	names bridge.rb "$archive"
done
for bundle in bridge-*.mcpb; do
	names server.json "$bundle"
done
echo "verified: signature, checksums, bills of materials, formula, server.json"
