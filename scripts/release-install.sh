#!/bin/sh
# Installs every package of a release for this machine, each into a clean folder, and runs it:
# scripts/release-install.sh FOLDER [VERSION]
# It unpacks the archive and the bundle for desktop clients, and installs the npm package with npm,
# the formula like Homebrew, and the deb and the rpm with dpkg and rpm into a root of their own that
# already contains iproute2's program. All packages must contain the same program, which must be
# able to create and verify a store and, if VERSION is given, report that version. The deb and the
# rpm need root. Skipped packages are reported.
set -eu
folder=$(cd "${1:?usage: release-install.sh FOLDER [VERSION]}" && pwd -P)
version=${2:-}
scripts=$(cd "$(dirname "$0")" && pwd -P)
system=$(go env GOOS)
arch=$(go env GOARCH)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# one prints the only file of the release with this ending.
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

# runs makes an installed program create a store, and compares it with the
# archive's.
runs() {
	program=$1
	home=$(mktemp -d "$work/home.XXXXXX")
	say=$(env -i HOME="$home" PATH=/usr/bin:/bin "$program" --version)
	if [ -n "$version" ] && [ "$say" != "bridge v$version" ]; then
		echo "$program reports $say, not version $version" >&2
		exit 1
	fi
	env -i HOME="$home" PATH=/usr/bin:/bin "$program" serve </dev/null
	env -i HOME="$home" PATH=/usr/bin:/bin "$program" audit verify >/dev/null
	cmp "$work/archive/bridge" "$program"
	echo "$2: $say, installed and run"
}

# beside checks that the stand-in for iproute2's program is unchanged, makes the link
# described in docs/operations.md, and checks which program root then runs by its name.
beside() {
	[ "$(cat "$1/$2")" = "iproute2's" ] || { echo "$1/$2 is no longer iproute2's" >&2; exit 1; }
	mkdir -p "$1/usr/local/bin"
	ln -s /opt/bridge/bin/bridge "$1/usr/local/bin/bridge"
	found=$(env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin chroot "$1" bridge --version) || found=iproute2\'s
	[ "$found" = "$say" ] || { echo "root of $3 runs $found, not $say" >&2; exit 1; }
	echo "$3: works alongside iproute2's program"
}

# gone checks that nothing of what was installed is left: gone PACKAGE PATH...
gone() {
	of=$1
	shift
	for left; do
		[ ! -e "$left" ] || { echo "removing the $of leaves $left" >&2; exit 1; }
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
	chmod +x "$work/mcpb/server/bridge" # Python does not restore the mode
else
	echo "SKIPPED: mcpb, neither unzip nor python3 is installed"
	bundle=
fi
if [ -n "$bundle" ]; then
	runs "$work/mcpb/server/bridge" mcpb
	grep -q "\"version\": \"${version:-.*}\"" "$work/mcpb/manifest.json"
fi

if command -v npm >/dev/null; then
	# No registry is needed, because the package has no dependencies.
	npm install --prefix "$work/npm" --cache "$work/cache" --offline --no-audit --no-fund --silent "$(one npm.tgz)"
	runs "$work/npm/node_modules/.bin/bridge" npm
	if [ -n "$version" ] && ! npm list --prefix "$work/npm" --depth 0 | grep -q "bridge@$version\$"; then
		echo "npm reports another version: $(npm list --prefix "$work/npm" --depth 0)" >&2
		exit 1
	fi
else
	echo "SKIPPED: npm, it is not installed"
fi

if command -v ruby >/dev/null; then
	ruby -wc "$folder/bridge.rb" >/dev/null
	ruby "$scripts/release-formula.rb" "$folder" "$work/brew"
	runs "$work/brew/bin/bridge" formula
else
	echo "SKIPPED: formula, ruby is not installed"
fi

if [ "$system" != linux ] || [ "$(id -u)" != 0 ]; then
	echo "SKIPPED: deb and rpm, which only root on Linux can install into a separate root"
	exit 0
fi
if command -v dpkg >/dev/null; then
	mkdir -p "$work/deb/var/lib/dpkg/info" "$work/deb/var/lib/dpkg/updates" "$work/iproute2/DEBIAN" "$work/iproute2/sbin"
	: >"$work/deb/var/lib/dpkg/status"
	# As on Debian, the programs of /sbin are in /usr/sbin.
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
	echo "SKIPPED: deb, dpkg is not installed"
fi
if command -v rpm >/dev/null; then
	# As on Fedora since 42, /usr/sbin is /usr/bin, which contains iproute2's program.
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
		echo "SKIPPED: rpm alongside iproute2's package, rpmbuild is not installed"
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
	echo "SKIPPED: rpm, it is not installed"
fi
