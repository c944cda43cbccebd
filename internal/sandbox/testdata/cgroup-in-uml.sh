#!/bin/bash
# cgroup-in-uml.sh PROGRAM [PATTERN]: runs tests of this package in a separate kernel, in which control groups of version 2
# count memory and processes. It needs no privileges and changes nothing on the machine.
#
#   CGO_ENABLED=0 go test -c -o /opt/sandbox.test ./internal/sandbox
#   UML=/usr/bin/linux.uml internal/sandbox/testdata/cgroup-in-uml.sh /opt/sandbox.test 'TestCgroup|TestMemoryLimit'
#
# UML is the kernel in the package user-mode-linux. The tests run as nobody, in a group that is delegated to nobody, as
# systemd does for a user. The machine's files are visible read-only; PROGRAM must not be in /tmp or /run.
set -euo pipefail
if [ "$$" != 1 ]; then
	self=$(realpath "$0") program=$(realpath "$1")
	exec "${UML:-linux.uml}" mem=2G root=/dev/root rootfstype=hostfs rootflags=/ ro con=null con0=fd:0,fd:1 \
		init="$self" PROGRAM="$program" PATTERN="${2:-TestCgroup}" </dev/null
fi

# From here on, this script is the first process of that kernel.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs -o mode=755 run /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /dev/shm
ip link set lo up
top=/sys/fs/cgroup
echo "+memory +pids" >$top/cgroup.subtree_control
mkdir $top/session
echo "+memory +pids" >$top/session/cgroup.subtree_control
mkdir $top/session/own
echo $$ >$top/session/own/cgroup.procs
cp "$PROGRAM" /run/tests
mkdir -m 755 /tmp/user
chown -R 65534:65534 $top/session /tmp/user
cd /tmp/user
export TMPDIR=/tmp/user HOME=/tmp/user
setpriv --reuid 65534 --regid 65534 --clear-groups /run/tests -test.run "$PATTERN" -test.v 2>&1 || echo "FAILED"
ls -d $top/session/*/
echo o >/proc/sysrq-trigger
sleep 60
