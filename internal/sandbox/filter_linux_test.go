package sandbox_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"example.org/bridge/internal/racetest"
	"example.org/bridge/internal/sandbox"
)

// evaluate runs a filter as the kernel would. It fails the test if the kernel
// would have refused to load the filter.
func evaluate(t *testing.T, prog []unix.SockFilter, arch, nr uint32, args [6]uint64) uint32 {
	t.Helper()
	data := make([]byte, 64)
	binary.LittleEndian.PutUint32(data[0:], nr)
	binary.LittleEndian.PutUint32(data[4:], arch)
	for i, a := range args {
		binary.LittleEndian.PutUint64(data[16+8*i:], a)
	}
	var acc uint32
	for pc := 0; pc < len(prog); pc++ {
		in := prog[pc]
		switch in.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			if in.K%4 != 0 || int(in.K)+4 > len(data) {
				t.Fatalf("instruction %d loads from %d", pc, in.K)
			}
			acc = binary.LittleEndian.Uint32(data[in.K:])
		case unix.BPF_RET | unix.BPF_K:
			return in.K
		default:
			var yes bool
			switch in.Code {
			case unix.BPF_JMP | unix.BPF_K | unix.BPF_JEQ:
				yes = acc == in.K
			case unix.BPF_JMP | unix.BPF_K | unix.BPF_JGT:
				yes = acc > in.K
			case unix.BPF_JMP | unix.BPF_K | unix.BPF_JSET:
				yes = acc&in.K != 0
			default:
				t.Fatalf("instruction %d has code %#x", pc, in.Code)
			}
			if yes {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		}
	}
	t.Fatal("the program has no end")
	return 0
}

func refusal(errno unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(errno) }

func TestFilter(t *testing.T) {
	const allow = unix.SECCOMP_RET_ALLOW
	eperm, enosys := refusal(unix.EPERM), refusal(unix.ENOSYS)
	// The answers of each kind of box, in the order of kinds.
	kinds := []sandbox.FilterKind{{}, {Network: true}, {Landlock: true}, {Landlock: true, Network: true}, {Landlock: true, NoSignals: true}}
	every := func(v uint32) []uint32 { return []uint32{v, v, v, v, v} }
	tests := []struct {
		name string
		nr   uint32
		args [6]uint64
		want []uint32
	}{
		{"read", unix.SYS_READ, [6]uint64{}, every(allow)},
		{"execve", unix.SYS_EXECVE, [6]uint64{}, every(allow)},
		{"fork", unix.SYS_CLONE, [6]uint64{uint64(unix.SIGCHLD)}, every(allow)},
		{"a thread", unix.SYS_CLONE, [6]uint64{unix.CLONE_VM | unix.CLONE_THREAD | unix.CLONE_FS}, every(allow)},
		{"a user namespace", unix.SYS_CLONE, [6]uint64{unix.CLONE_NEWUSER | uint64(unix.SIGCHLD)}, every(eperm)},
		{"a network namespace, high bits", unix.SYS_UNSHARE, [6]uint64{1<<40 | unix.CLONE_NEWNET}, every(eperm)},
		{"unshare files", unix.SYS_UNSHARE, [6]uint64{unix.CLONE_FILES}, every(allow)},
		{"clone3", unix.SYS_CLONE3, [6]uint64{}, every(enosys)},
		{"ptrace", unix.SYS_PTRACE, [6]uint64{}, every(eperm)},
		{"a terminal's size", unix.SYS_IOCTL, [6]uint64{0, unix.TIOCGWINSZ}, every(allow)},
		{"TIOCSTI", unix.SYS_IOCTL, [6]uint64{0, unix.TIOCSTI}, every(eperm)},
		{"TIOCSTI, high bits", unix.SYS_IOCTL, [6]uint64{0, 7<<32 | unix.TIOCSTI}, every(eperm)},
		{"newer than the table", unix.SYS_MSEAL + 1, [6]uint64{}, every(enosys)},
		{"an inet socket", unix.SYS_SOCKET, [6]uint64{unix.AF_INET}, []uint32{allow, allow, eperm, allow, eperm}},
		{"a unix socket", unix.SYS_SOCKET, [6]uint64{unix.AF_UNIX}, every(eperm)},
		{"a vsock", unix.SYS_SOCKET, [6]uint64{unix.AF_VSOCK}, every(eperm)},
		{"routes", unix.SYS_SOCKET, [6]uint64{unix.AF_NETLINK, 3, unix.NETLINK_ROUTE}, []uint32{allow, allow, eperm, allow, eperm}},
		{"audit", unix.SYS_SOCKET, [6]uint64{unix.AF_NETLINK, 3, unix.NETLINK_AUDIT}, every(eperm)},
		{"a pair", unix.SYS_SOCKETPAIR, [6]uint64{unix.AF_UNIX}, every(allow)},
		{"fchmod", unix.SYS_FCHMOD, [6]uint64{3, 0o755}, every(allow)},
		{"fchmod u+s", unix.SYS_FCHMOD, [6]uint64{3, 0o4755}, every(eperm)},
		{"open a file u+s", unix.SYS_OPENAT, [6]uint64{0, 0, unix.O_CREAT, 0o4755}, every(eperm)},
		{"open, mode unused", unix.SYS_OPENAT, [6]uint64{0, 0, unix.O_RDONLY, 0o4755}, every(allow)},
		{"chmod by path", unix.SYS_FCHMODAT, [6]uint64{0, 1, 0o644}, []uint32{allow, allow, eperm, eperm, eperm}},
		{"times by descriptor", unix.SYS_UTIMENSAT, [6]uint64{3, 0}, every(allow)},
		{"times by path", unix.SYS_UTIMENSAT, [6]uint64{3, 1 << 20}, []uint32{allow, allow, refusal(0), refusal(0), refusal(0)}},
		{"times by a path with a round address", unix.SYS_UTIMENSAT, [6]uint64{3, 1 << 32}, []uint32{allow, allow, refusal(0), refusal(0), refusal(0)}},
		{"own limits", unix.SYS_PRLIMIT64, [6]uint64{0}, every(allow)},
		{"another's limits", unix.SYS_PRLIMIT64, [6]uint64{77}, []uint32{allow, allow, eperm, eperm, eperm}},
		{"own group's signals", unix.SYS_KILL, [6]uint64{0, 15}, every(allow)},
		{"signals", unix.SYS_KILL, [6]uint64{77, 15}, []uint32{allow, allow, allow, allow, eperm}},
		{"everybody's signals", unix.SYS_KILL, [6]uint64{^uint64(0), 9}, []uint32{allow, allow, allow, allow, eperm}},
		{"signals by descriptor", unix.SYS_PIDFD_SEND_SIGNAL, [6]uint64{}, []uint32{allow, allow, allow, allow, eperm}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []uint32
			for _, k := range kinds {
				prog, err := sandbox.Filter(k)
				if err != nil {
					t.Skip("MISSING: ", err)
				}
				got = append(got, evaluate(t, prog, sandbox.AuditArch, tt.nr, tt.args))
				if v := evaluate(t, prog, unix.AUDIT_ARCH_I386, tt.nr, tt.args); v != unix.SECCOMP_RET_KILL_PROCESS {
					t.Errorf("another processor's call gives %#x", v)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzFilter checks that every input leads to an answer that the kernel supports.
func FuzzFilter(f *testing.F) {
	f.Add(uint32(unix.SYS_SOCKET), uint64(unix.AF_INET), uint64(0), uint64(0))
	f.Add(uint32(0x40000000), uint64(1), uint64(1)<<63, uint64(0o4755))
	f.Fuzz(func(t *testing.T, nr uint32, a, b, c uint64) {
		for _, k := range []sandbox.FilterKind{{}, {Network: true}, {Landlock: true}, {Landlock: true, NoSignals: true}} {
			prog, err := sandbox.Filter(k)
			if err != nil {
				t.Skip("MISSING: ", err)
			}
			v := evaluate(t, prog, sandbox.AuditArch, nr, [6]uint64{a, b, c, a, b, c})
			if v != unix.SECCOMP_RET_ALLOW && v&unix.SECCOMP_RET_ACTION != unix.SECCOMP_RET_ERRNO {
				t.Errorf("answer %#x", v)
			}
			if nr > unix.SYS_MSEAL && v != refusal(unix.ENOSYS) {
				t.Errorf("call %d is unknown, and the answer is %#x", nr, v)
			}
		}
	})
}

func TestContainerArgs(t *testing.T) {
	ws := t.TempDir()
	write(t, ws+"/.claude/x", "")
	args, err := sandbox.ContainerArgs(sandbox.Docker, ws, true, false)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(args, " ")
	for _, want := range []string{
		"--network none", "--cap-drop ALL", "--read-only", "--user 1000:1001", "--pull never", "no-new-privileges", "--pids-limit", "--memory 1073741824",
		`type=bind,"source=` + ws + `","target=` + ws + `" `,
		`type=bind,"source=` + ws + `/.claude","target=` + ws + `/.claude",readonly `,
		"--entrypoint /run/bridge/init image __sandbox-exec container",
	} {
		if !strings.Contains(all+" ", want) {
			t.Errorf("%q is missing in %s", want, all)
		}
	}
	args, err = sandbox.ContainerArgs(sandbox.Podman, ws, false, true)
	if err != nil {
		t.Fatal(err)
	}
	all = strings.Join(args, " ")
	if !strings.HasPrefix(all, "podman run") || strings.Contains(all, "--network") || !strings.Contains(all, `target=`+ws+`",readonly `) {
		t.Errorf("read-only, with network: %s", all)
	}
}

// TestContainerTools checks that both clients mount tool folders read-only at the
// same path, and that a tool folder in a writable workspace is mounted after the
// workspace.
func TestContainerTools(t *testing.T) {
	ws := t.TempDir()
	inside, outside := filepath.Join(ws, ".venv"), filepath.Join(t.TempDir(), "tool, one")
	for _, dir := range []string{inside, outside} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range []sandbox.Backend{sandbox.Docker, sandbox.Podman} {
		args, err := sandbox.ContainerArgs(b, ws, true, false, inside, outside)
		if err != nil {
			t.Fatal(err)
		}
		mount := func(dir, end string) int {
			return slices.Index(args, `type=bind,"source=`+dir+`","target=`+dir+`"`+end)
		}
		if mount(outside, ",readonly") < 0 || args[mount(outside, ",readonly")-1] != "--mount" {
			t.Errorf("%s: %s is missing in %q", b, outside, args)
		}
		if at := mount(inside, ",readonly"); at < mount(ws, "") || mount(ws, "") < 0 || at == -1 {
			t.Errorf("%s: %s is not covered in %q", b, inside, args)
		}
	}
}

// TestNoContainers checks that a container backend counts as not working if its
// program, its service or the image is missing.
func TestNoContainers(t *testing.T) {
	racetest.Skip(t)
	tried := 0
	for _, b := range sandbox.Probe(t.Context(), sandbox.Options{Image: "no-such-image"}) {
		if b.Backend != sandbox.Docker && b.Backend != sandbox.Podman {
			continue
		}
		tried++
		if b.Err == nil {
			t.Errorf("%s ran a command in an image that is not there", b.Backend)
		}
	}
	if tried != 2 {
		t.Errorf("%d kinds of containers were tried, want 2", tried)
	}
}

func TestProcessStat(t *testing.T) {
	parent, threads, ok := sandbox.ProcessStat(os.Getpid())
	if !ok || parent != os.Getppid() || threads < 1 {
		t.Errorf("parent %d, %d threads, %v", parent, threads, ok)
	}
}
