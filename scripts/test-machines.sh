#!/bin/sh
# Runs the S2 protocol of `bridge stress` on nine machines and another one that joins late.
# Each machine is a network namespace that reaches the gateways over a bridge device, and
# sees no file of the store or of another machine. The 90 minutes are divided by the second
# argument:
#   scripts/test-machines.sh bin/bridge 180
# If namespaces are not permitted, the test is skipped with a message.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# Called by bridge itself: scripts/test-machines.sh enter NUMBER COMMAND...
# HOME is the machine's folder, next to those of the other machines and the
# store.
if [ "${MACHINE_COMMAND:-}" = inside ]; then
	home=$HOME
	above=$(dirname "$home")
	mount --bind "$home" /mnt
	mount -t tmpfs -o mode=700 tmpfs "$above"
	mkdir "$home"
	mount --move /mnt "$home"
	[ "$(ls "$above")" = "$(basename "$home")" ] || { echo "the machine sees the store" >&2; exit 1; }
	cd "$home"
	unset MACHINE_COMMAND
	exec "$@"
fi
if [ "${1##*[!0-9]}" = "$1" ] && [ -n "$1" ]; then
	number=$1
	shift
	exec ip netns exec "bridge-s2-$number" unshare --mount env MACHINE_COMMAND=inside "$here/test-machines.sh" "$@"
fi

bridge=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
compress=${2:-180}
machines=10
net=10.231.77
work=$(mktemp -d)
clean() {
	for n in $(seq "$machines"); do ip netns del "bridge-s2-$n" 2>/dev/null || true; done
	ip link del bridge-s2 2>/dev/null || true
	rm -rf "$work"
}
if [ "$(id -u)" != 0 ] || ! command -v ip >/dev/null || ! command -v unshare >/dev/null ||
	! ip link add bridge-s2 type bridge 2>"$work/why"; then
	echo "SKIPPED: network namespaces need Linux, root, ip and unshare, and permission to create networks: $(cat "$work/why" 2>/dev/null || true)"
	rm -rf "$work"
	exit 0
fi
trap clean EXIT
trap 'exit 1' INT TERM
ip addr add "$net.1/24" dev bridge-s2
ip link set bridge-s2 up
for n in $(seq "$machines"); do
	ip netns add "bridge-s2-$n"
	ip link add "bridge-s2-$n" type veth peer name eth0 netns "bridge-s2-$n"
	ip link set "bridge-s2-$n" master bridge-s2 up
	ip -n "bridge-s2-$n" addr add "$net.$((n + 10))/24" dev eth0
	ip -n "bridge-s2-$n" link set eth0 up
done
# The copy is visible in the namespaces; the store is in another folder.
cp "$bridge" "$work/bridge"
mkdir "$work/store"
"$work/bridge" stress --preset s2 --compress "$compress" --gateways 2 --gateway-address "$net.1" \
	--enter "$here/test-machines.sh" --dir "$work/store"
