#!/bin/sh
# Installs what a release has for this machine, each in a clean folder, and runs it:
# scripts/release-install.sh FOLDER [VERSION]
# The archive and the bundle for desktop clients are unpacked, the package for npm is installed
# by npm, the formula as Homebrew does, the deb and the rpm by dpkg and rpm into a root of their
# own where iproute2's program is already. All must hold the same program, which makes and
# verifies a store and, if VERSION is given, says that version. Needs root for the packages, and says
# what it skips.
set -eu
folder=$(cd "${1:?usage: release-install.sh FOLDER [VERSION]}" && pwd -P)
version=${2:-}
scripts=$(cd "$(dirname "$0")" && pwd -P)
system=$(go env GOOS)
arch=$(go env GOARCH)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# one is the only file of the release with this ending.
one() {
	case $1 in
	mcpb) set -- "$folder"/bridge-*-"$system-$arch.mcpb" ;;
	npm.tgz) set -- "$folder"/bridge_*_"${system}_${arch}_npm.tgz" ;;
	*) set -- "$folder"/bridge_*_"${system}_$arch.$1" ;;
	esac
	if [ $# != 1 ] || [ ! -f "$1" ]; then
		echo "the release has no single file for $system $arch: $*" >&2
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

# beside compares iproute2's stand-in with what it was, makes the link that docs/operations.md
# names, and looks which program root then runs by its name.
beside() {
	[ "$(cat "$1/$2")" = "iproute2's" ] || { echo "$1/$2 is no longer iproute2's" >&2; exit 1; }
	mkdir -p "$1/usr/local/bin"
	ln -s /opt/bridge/bin/bridge "$1/usr/local/bin/bridge"
	found=$(env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin chroot "$1" bridge --version) || found=iproute2\'s
	[ "$found" = "$say" ] || { echo "root of $3 runs $found, and not $say" >&2; exit 1; }
	echo "$3: beside iproute2's program"
}

# gone looks that nothing of what was installed is left: gone PACKAGE PATH...
gone() {
	of=$1
	shift
	for left; do
		[ ! -e "$left" ] || { echo "the $of leaves $left when it is removed" >&2; exit 1; }
	done
}

mkdir "$work/archive" "$work/deb" "$work/rpm" "$work/mcpb"
tar -xzf "$(one tar.gz)" -C "$work/archive"
runs "$work/archive/bridge" archive

bundle=$(one mcpb)
if command -v unzip >/dev/null; then
	unzip -q "$bundle" -d "$work/mcpb"
elif command -v python3 >/dev/null; then
	python3 -m zipfile -e "$bundle" "$work/mcpb"
	chmod +x "$work/mcpb/server/bridge" # which Python leaves to us
else
	echo "SKIPPED: mcpb, there is neither unzip nor python3"
	bundle=
fi
if [ -n "$bundle" ]; then
	runs "$work/mcpb/server/bridge" mcpb
	grep -q "\"version\": \"${version:-.*}\"" "$work/mcpb/manifest.json"
fi

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

if command -v ruby >/dev/null; then
	ruby -wc "$folder/bridge.rb" >/dev/null
	ruby "$scripts/release-formula.rb" "$folder" "$work/brew"
	runs "$work/brew/bin/bridge" formula
else
	echo "SKIPPED: formula, there is no ruby"
fi

if [ "$system" != linux ] || [ "$(id -u)" != 0 ]; then
	echo "SKIPPED: deb and rpm, only root of a Linux system installs packages into a root of their own"
	exit 0
fi
if command -v dpkg >/dev/null; then
	mkdir -p "$work/deb/var/lib/dpkg/info" "$work/deb/var/lib/dpkg/updates" "$work/iproute2/DEBIAN" "$work/iproute2/sbin"
	: >"$work/deb/var/lib/dpkg/status"
	# As on Debian: the programs of /sbin are in /usr/sbin.
	mkdir -p "$work/deb/usr/sbin"
	ln -s usr/sbin "$work/deb/sbin"
	printf 'Package: iproute2\nVersion: 6\nArchitecture: all\nMaintainer: nobody\nDescription: stands in\n' >"$work/iproute2/DEBIAN/control"
	echo "iproute2's" >"$work/iproute2/sbin/bridge"
	chmod 755 "$work/iproute2/sbin/bridge"
	dpkg-deb --root-owner-group --build "$work/iproute2" "$work/iproute2.deb" >/dev/null
	dpkg --root="$work/deb" --log=/dev/null --install "$work/iproute2.deb" "$(one deb)" >/dev/null
	dpkg --root="$work/deb" --verify bridge
	runs "$work/deb/opt/bridge/bin/bridge" deb
	beside "$work/deb" usr/sbin/bridge deb
	dpkg --root="$work/deb" --log=/dev/null --remove bridge >/dev/null
	gone deb "$work/deb/opt/bridge" "$work/deb/usr/share/doc/bridge"
else
	echo "SKIPPED: deb, there is no dpkg"
fi
if command -v rpm >/dev/null; then
	# As on Fedora from 42 on: /usr/sbin is /usr/bin, and iproute2's program is there.
	mkdir -p "$work/rpm/usr/bin"
	ln -s bin "$work/rpm/usr/sbin"
	rpm --root="$work/rpm" --initdb
	if command -v rpmbuild >/dev/null; then
		cat >"$work/iproute.spec" <<-'SPEC'
			Name: iproute
			Version: 6
			Release: 1
			Summary: stands in
			License: none
			BuildArch: noarch
			%description
			%install
			mkdir -p %{buildroot}/usr/bin
			echo "iproute2's" >%{buildroot}/usr/bin/bridge
			chmod 755 %{buildroot}/usr/bin/bridge
			%files
			/usr/bin/bridge
		SPEC
		HOME="$work" rpmbuild -bb --quiet --define "_topdir $work/rpmbuild" "$work/iproute.spec" >"$work/rpmbuild.log" 2>&1 || { cat "$work/rpmbuild.log"; exit 1; }
		rpm --root="$work/rpm" --nosignature --install "$work"/rpmbuild/RPMS/noarch/iproute-*.rpm
	else
		echo "SKIPPED: rpm beside iproute2's as a package, there is no rpmbuild"
		echo "iproute2's" >"$work/rpm/usr/bin/bridge"
		chmod 755 "$work/rpm/usr/bin/bridge"
	fi
	rpm --root="$work/rpm" --nosignature --install "$(one rpm)"
	rpm --root="$work/rpm" --verify bridge
	runs "$work/rpm/opt/bridge/bin/bridge" rpm
	beside "$work/rpm" usr/bin/bridge rpm
	rpm --root="$work/rpm" --erase bridge
	gone rpm "$work/rpm/opt/bridge" "$work/rpm/usr/share/doc/bridge"
else
	echo "SKIPPED: rpm, there is no rpm"
fi
