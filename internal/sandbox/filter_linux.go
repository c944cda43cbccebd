//go:build linux && (amd64 || arm64)

package sandbox

import "golang.org/x/sys/unix"

// newestSyscall is mseal (Linux 6.10), the newest system call that the rules take
// into account.
const newestSyscall = 462

// The namespaces that clone and unshare can create.
const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

const (
	tiocsti       = 0x5412 // types into the terminal
	tioclinux     = 0x541c // the same for a virtual console
	prioUser      = 2      // setpriority: all of the user's processes
	ioprioWhoUser = 3      // ioprio_set: the same
)

// filterKind says what the rest of the box leaves to the seccomp filter.
type filterKind struct {
	network   bool // the box has network access
	landlock  bool // there are no namespaces: the filter covers sockets, IPC, metadata and other processes
	noSignals bool // Landlock before ABI 6 does not restrict signals
}

// filterRules returns the rules for one kind of box.
func filterRules(k filterKind) []rule {
	rules := append(refusedEverywhere(), archRules...)
	rules = append(rules, socketRules(k)...)
	if k.landlock {
		rules = append(rules, landlockRules()...)
		rules = append(rules, archLandlockRules...)
	}
	if k.noSignals {
		rules = append(rules, signalRules()...)
	}
	return rules
}

func refuse(why string, nrs ...uintptr) []rule {
	rules := make([]rule, 0, len(nrs))
	for _, nr := range nrs {
		rules = append(rules, rule{nr: nr, errno: unix.EPERM, why: why})
	}
	return rules
}

func pretendMissing(why string, nrs ...uintptr) []rule {
	rules := refuse(why, nrs...)
	for i := range rules {
		rules[i].errno = unix.ENOSYS
	}
	return rules
}

func refusedEverywhere() []rule {
	groups := [][]rule{
		refuse("other processes' memory and descriptors", unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV,
			unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP, unix.SYS_PROCESS_MADVISE,
			unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES),
		refuse("the kernel's key rings", unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY),
		refuse("large parts of the kernel to attack", unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
			unix.SYS_LOOKUP_DCOOKIE, unix.SYS_FANOTIFY_INIT, unix.SYS_VHANGUP),
		refuse("mounts and roots", unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT,
			unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT,
			unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_SETNS, unix.SYS_OPEN_BY_HANDLE_AT),
		refuse("the running kernel", unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_INIT_MODULE,
			unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_REBOOT, unix.SYS_SYSLOG, unix.SYS_ACCT,
			unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD),
		refuse("names and clocks", unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_SETTIMEOFDAY,
			unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX),
		pretendMissing("makes sockets and opens files past this filter",
			unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER),
		pretendMissing("its flags are in memory, where a filter cannot look; callers fall back to clone", unix.SYS_CLONE3),
		pretendMissing("its mode is in memory; callers fall back to openat", unix.SYS_OPENAT2),
		whenArg("a user namespace gives capabilities, and with them the rest of the kernel",
			unix.SYS_CLONE, cond{arg: 0, how: anyBit, value: newNamespaces}),
		whenArg("as clone", unix.SYS_UNSHARE, cond{arg: 0, how: anyBit, value: newNamespaces | unix.CLONE_NEWTIME}),
		whenArg("types into the operator's terminal", unix.SYS_IOCTL, cond{arg: 1, how: equal, value: tiocsti}),
		whenArg("pastes into the operator's console", unix.SYS_IOCTL, cond{arg: 1, how: equal, value: tioclinux}),
		setuidRules(),
	}
	var rules []rule
	for _, g := range groups {
		rules = append(rules, g...)
	}
	return rules
}

func whenArg(why string, nr uintptr, when ...cond) []rule {
	return []rule{{nr: nr, errno: unix.EPERM, when: when, why: why}}
}

// setuidRules prevent the command from leaving a set-user-ID or set-group-ID
// program in the workspace, which would give everybody the rights of the user or
// the group.
func setuidRules() []rule {
	const why = "set-user-ID and set-group-ID files"
	suid := func(arg uint) cond { return cond{arg: arg, how: anyBit, value: unix.S_ISUID | unix.S_ISGID} }
	creates := cond{arg: 2, how: anyBit, value: unix.O_CREAT}
	var rules []rule
	rules = append(rules, whenArg(why, unix.SYS_FCHMOD, suid(1))...)
	rules = append(rules, whenArg(why, unix.SYS_FCHMODAT, suid(2))...)
	rules = append(rules, whenArg(why, unix.SYS_FCHMODAT2, suid(2))...)
	rules = append(rules, whenArg(why, unix.SYS_MKNODAT, suid(2))...)
	return append(rules, whenArg(why, unix.SYS_OPENAT, creates, suid(3))...)
}

// socketRules restrict the kinds of sockets. Without network access, the network
// namespace confines internet and netlink sockets, but namespaces do not confine
// AF_VSOCK and others. They do not confine Unix sockets by path either: a command
// could reach a socket that a program outside keeps in the workspace and, with
// network access, the host's abstract sockets. Without namespaces, only
// socketpair is allowed.
func socketRules(k filterKind) []rule {
	var families []uint32
	switch {
	case k.landlock && !k.network:
	default:
		families = []uint32{unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}
	}
	others := make([]cond, 0, len(families))
	for _, f := range families {
		others = append(others, cond{arg: 0, how: notEqual, value: f})
	}
	rules := whenArg("a kind of socket that leaves the box", unix.SYS_SOCKET, others...)
	rules = append(rules, whenArg("as socket", unix.SYS_SOCKETPAIR, cond{arg: 0, how: notEqual, value: unix.AF_UNIX})...)
	return append(rules, whenArg("netlink beyond routes", unix.SYS_SOCKET,
		cond{arg: 0, how: equal, value: unix.AF_NETLINK}, cond{arg: 2, how: notEqual, value: unix.NETLINK_ROUTE})...)
}

// landlockRules replace the namespaces that the Landlock backend lacks.
func landlockRules() []rule {
	groups := make([][]rule, 0, 16)
	groups = append(groups,
		refuse("shared with the user's other processes", unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SEMGET,
			unix.SYS_MSGGET, unix.SYS_MQ_OPEN, unix.SYS_MQ_UNLINK),
		refuse("changes files outside of the workspace; Landlock does not look", unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2,
			unix.SYS_FCHOWNAT, unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR),
		[]rule{ // Both halves of the pointer are compared: a path may be mapped at an address whose low half is 0.
			{nr: unix.SYS_UTIMENSAT, when: []cond{{arg: 1, how: notEqual}}, why: "times, by path: reported as done"},
			{nr: unix.SYS_UTIMENSAT, when: []cond{{arg: 1, high: true, how: notEqual}}, why: "times, by path: reported as done"},
		},
		whenArg("changes all of the user's processes", unix.SYS_SETPRIORITY, cond{arg: 0, how: equal, value: prioUser}),
		whenArg("changes all of the user's processes", unix.SYS_IOPRIO_SET, cond{arg: 0, how: equal, value: ioprioWhoUser}),
	)
	for _, c := range []struct {
		nr  uintptr
		arg uint
	}{
		{unix.SYS_PRLIMIT64, 0},
		{unix.SYS_SCHED_SETAFFINITY, 0},
		{unix.SYS_SCHED_SETSCHEDULER, 0},
		{unix.SYS_SCHED_SETPARAM, 0},
		{unix.SYS_SCHED_SETATTR, 0},
		{unix.SYS_SETPRIORITY, 1},
		{unix.SYS_IOPRIO_SET, 1},
	} {
		groups = append(groups, whenArg("changes another process", c.nr, cond{arg: c.arg, how: notEqual, value: 0}))
	}
	var rules []rule
	for _, g := range groups {
		rules = append(rules, g...)
	}
	return rules
}

// signalRules allow kill only for the sender's own process group.
func signalRules() []rule {
	return append(whenArg("signals to processes outside", unix.SYS_KILL, cond{arg: 0, how: notEqual, value: 0}),
		refuse("signals to processes outside", unix.SYS_TKILL, unix.SYS_TGKILL, unix.SYS_RT_SIGQUEUEINFO,
			unix.SYS_RT_TGSIGQUEUEINFO, unix.SYS_PIDFD_SEND_SIGNAL)...)
}
