#!/bin/sh
# Installs what a release has for this machine, each in a clean folder, and runs it:
# scripts/release-install.sh FOLDER [VERSION]
# The archive is unpacked, the package for npm installed by npm, the deb and the rpm by dpkg
# and rpm into a root of their own. All must hold the same program, which makes and verifies a store and, if
# VERSION is given, says that version. Needs root for the packages, and says what it skips.
set -eu
folder=$(realpath "${1:?usage: release-install.sh FOLDER [VERSION]}")
version=${2:-}
arch=$(go env GOARCH)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# one is the only file of the release with this ending.
one() {
	case $1 in
	npm.tgz) set -- "$folder"/bridge_*_linux_"$arch"_npm.tgz ;;
	*) set -- "$folder"/bridge_*_linux_"$arch.$1" ;;
	esac
	if [ $# != 1 ] || [ ! -f "$1" ]; then
		echo "the release has no single $arch file: $*" >&2
		exit 1
	fi
	echo "$1"
}

# runs lets an installed program make a store, and compares it with the archive's.
runs() {
	program=$1
	home=$(mktemp -d "$work/home.XXXXXX")
	say=$(env -i HOME="$home" PATH=/usr/bin:/bin "$program" --version)
	if [ -n "$version" ] && [ "$say" != "bridge v$version" ]; then
		echo "$program says $say, and not version $version" >&2
		exit 1
	fi
	env -i HOME="$home" PATH=/usr/bin:/bin "$program" serve </dev/null
	env -i HOME="$home" PATH=/usr/bin:/bin "$program" audit verify >/dev/null
	cmp "$work/archive/bridge" "$program"
	echo "$2: $say, installed and run"
}

mkdir "$work/archive" "$work/deb" "$work/rpm"
tar -xzf "$(one tar.gz)" -C "$work/archive"
runs "$work/archive/bridge" archive
if command -v npm >/dev/null; then
	# Nothing is asked of a registry: the package depends on nothing.
	npm install --prefix "$work/npm" --cache "$work/cache" --offline --no-audit --no-fund --silent "$(one npm.tgz)"
	runs "$work/npm/node_modules/.bin/bridge" npm
	if [ -n "$version" ] && ! npm list --prefix "$work/npm" --depth 0 | grep -q "bridge@$version\$"; then
		echo "npm knows another version: $(npm list --prefix "$work/npm" --depth 0)" >&2
		exit 1
	fi
else
	echo "SKIPPED: npm, there is no npm"
fi
if [ "$(id -u)" != 0 ]; then
	echo "SKIPPED: deb and rpm, only root installs packages into a root of their own"
	exit 0
fi
if command -v dpkg >/dev/null; then
	mkdir -p "$work/deb/var/lib/dpkg/info" "$work/deb/var/lib/dpkg/updates"
	: >"$work/deb/var/lib/dpkg/status"
	dpkg --root="$work/deb" --log=/dev/null --install "$(one deb)" >/dev/null
	dpkg --root="$work/deb" --verify bridge
	runs "$work/deb/usr/bin/bridge" deb
	dpkg --root="$work/deb" --log=/dev/null --remove bridge >/dev/null
	[ ! -e "$work/deb/usr/bin/bridge" ]
else
	echo "SKIPPED: deb, there is no dpkg"
fi
if command -v rpm >/dev/null; then
	rpm --root="$work/rpm" --initdb
	rpm --root="$work/rpm" --nosignature --install "$(one rpm)"
	rpm --root="$work/rpm" --verify bridge
	runs "$work/rpm/usr/bin/bridge" rpm
	rpm --root="$work/rpm" --erase bridge
	[ ! -e "$work/rpm/usr/bin/bridge" ]
else
	echo "SKIPPED: rpm, there is no rpm"
fi
