package sandbox_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/sandbox"
)

// attacks are programs that the test binary runs inside a sandbox. Each prints
// what it was able to do.
var attacks = map[string]func(args []string) int{
	"dial":     attackDial,
	"syscalls": attackSyscalls,
	"alloc":    attackAlloc,
	"serve":    runServer,
}

// attack runs an attack if the arguments ask for one.
func attack(args []string) (code int, ok bool) {
	if len(args) < 3 || args[1] != "attack" {
		return 0, false
	}
	return attacks[args[2]](args[3:]), true
}

func attackDial(args []string) int {
	for i := 0; i+1 < len(args); i += 2 {
		conn, err := net.DialTimeout(args[i], args[i+1], time.Second)
		if err == nil && strings.HasPrefix(args[i], "udp") {
			_, err = conn.Write([]byte("hello"))
		}
		if err == nil {
			fmt.Println("reached", args[i], args[i+1])
		}
	}
	return 0
}

// attackSyscalls prints the system calls that were not refused.
func attackSyscalls([]string) int {
	call := func(nr uintptr, args ...uintptr) unix.Errno {
		var a [6]uintptr
		copy(a[:], args)
		_, _, errno := unix.RawSyscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
		return errno
	}
	high := uintptr(1) // a bit that the kernel ignores (0 on a 32-bit processor)
	for range 40 {
		high <<= 1
	}
	for _, c := range []struct {
		name  string
		errno unix.Errno
		want  unix.Errno
	}{
		{"ptrace", call(unix.SYS_PTRACE, unix.PTRACE_TRACEME), unix.EPERM},
		{"unshare user", call(unix.SYS_UNSHARE, unix.CLONE_NEWUSER), unix.EPERM},
		{"unshare user, high bits", call(unix.SYS_UNSHARE, unix.CLONE_NEWUSER|high), unix.EPERM},
		{"unshare time", call(unix.SYS_UNSHARE, unix.CLONE_NEWTIME), unix.EPERM},
		{"clone user", call(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD)), unix.EPERM},
		{"clone3", call(unix.SYS_CLONE3, 0, 0), unix.ENOSYS},
		{"keyctl", call(unix.SYS_KEYCTL, 0), unix.EPERM},
		{"bpf", call(unix.SYS_BPF, 0), unix.EPERM},
		{"mount", call(unix.SYS_MOUNT), unix.EPERM},
		{"setns", call(unix.SYS_SETNS), unix.EPERM},
		{"kexec", call(unix.SYS_KEXEC_LOAD), unix.EPERM},
		{"io_uring", call(unix.SYS_IO_URING_SETUP, 1), unix.ENOSYS},
		{"userfaultfd", call(unix.SYS_USERFAULTFD), unix.EPERM},
		{"perf", call(unix.SYS_PERF_EVENT_OPEN), unix.EPERM},
		{"TIOCSTI", call(unix.SYS_IOCTL, 0, unix.TIOCSTI), unix.EPERM},
		{"TIOCSTI, high bits", call(unix.SYS_IOCTL, 0, unix.TIOCSTI|high), unix.EPERM},
		{"vsock", call(unix.SYS_SOCKET, unix.AF_VSOCK, unix.SOCK_STREAM), unix.EPERM},
		{"packet", call(unix.SYS_SOCKET, unix.AF_PACKET, unix.SOCK_RAW), unix.EPERM},
		{"alg", call(unix.SYS_SOCKET, unix.AF_ALG, unix.SOCK_SEQPACKET), unix.EPERM},
		{"netfilter", call(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER), unix.EPERM},
		{"unix pair", call(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM, 0, 0), unix.EFAULT},
		{"set-user-ID", call(unix.SYS_FCHMOD, 0, 0o4755), unix.EPERM},
		{"set-group-ID", call(unix.SYS_FCHMOD, 0, 0o2755), unix.EPERM},
		{"unix socket", call(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM), unix.EPERM},
		{"a later system call", call(unix.SYS_MSEAL + 1), unix.ENOSYS},
		{"x32", call(0x40000000 + unix.SYS_GETPID), unix.ENOSYS},
	} {
		if c.errno != c.want {
			fmt.Printf("%s: %v\n", c.name, c.errno)
		}
	}
	return 0
}

// attackAlloc allocates and touches memory until it is stopped.
func attackAlloc([]string) int {
	var kept [][]byte
	for {
		b, err := unix.Mmap(-1, 0, 16<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil {
			fmt.Println("refused", len(kept)*16, "MiB")
			return 7
		}
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
	}
}

// runServer plays the role of the bridge: it runs a command until it is killed.
func runServer(args []string) int {
	list := sandbox.Program("/bin/bash", "-c", args[2])
	res, err := sandbox.Run(context.Background(), list, sandbox.Options{
		Workspace: args[0], Backend: sandbox.Backend(args[1]), Writable: true, Timeout: 10 * time.Minute,
	})
	fmt.Println(res, err)
	return 0
}

// readLine reads one line. It returns "" at the end of the file.
func readLine(f *os.File) string {
	line, _ := bufio.NewReader(f).ReadString('\n')
	return strings.TrimSpace(line)
}
