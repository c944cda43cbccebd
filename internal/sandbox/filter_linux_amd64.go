package sandbox

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// archRules are for system calls that exist only on this processor.
var archRules = []rule{
	{nr: unix.SYS_IOPERM, errno: unix.EPERM, why: "hardware ports"},
	{nr: unix.SYS_IOPL, errno: unix.EPERM, why: "hardware ports"},
	{nr: unix.SYS_MODIFY_LDT, errno: unix.EPERM, why: "a large part of the kernel to attack"},
	{nr: unix.SYS_USELIB, errno: unix.EPERM, why: "obsolete"},
	{nr: unix.SYS_USTAT, errno: unix.EPERM, why: "obsolete"},
	{nr: unix.SYS_SYSFS, errno: unix.EPERM, why: "obsolete"},
	{nr: unix.SYS__SYSCTL, errno: unix.EPERM, why: "obsolete"},
	{nr: unix.SYS_CHMOD, errno: unix.EPERM, when: []cond{{arg: 1, how: anyBit, value: unix.S_ISUID | unix.S_ISGID}}, why: "set-user-ID and set-group-ID files"},
	{nr: unix.SYS_MKNOD, errno: unix.EPERM, when: []cond{{arg: 1, how: anyBit, value: unix.S_ISUID | unix.S_ISGID}}, why: "set-user-ID and set-group-ID files"},
	{nr: unix.SYS_CREAT, errno: unix.EPERM, when: []cond{{arg: 1, how: anyBit, value: unix.S_ISUID | unix.S_ISGID}}, why: "set-user-ID and set-group-ID files"},
	{nr: unix.SYS_OPEN, errno: unix.EPERM, when: []cond{{arg: 1, how: anyBit, value: unix.O_CREAT}, {arg: 2, how: anyBit, value: unix.S_ISUID | unix.S_ISGID}}, why: "set-user-ID and set-group-ID files"},
}

// archLandlockRules are for those among them that change a file by path, which
// Landlock does not check.
var archLandlockRules = []rule{
	{nr: unix.SYS_CHMOD, errno: unix.EPERM, why: "changes files outside of the workspace"},
	{nr: unix.SYS_CHOWN, errno: unix.EPERM, why: "changes files outside of the workspace"},
	{nr: unix.SYS_LCHOWN, errno: unix.EPERM, why: "changes files outside of the workspace"},
	{nr: unix.SYS_UTIME, why: "times, by path: reported as done"},
	{nr: unix.SYS_UTIMES, why: "times, by path: reported as done"},
	{nr: unix.SYS_FUTIMESAT, why: "times, by path: reported as done"},
}
