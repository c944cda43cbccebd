package sandbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A seccomp filter is a list of rules, tried in order; a call that matches no
// rule is allowed. It lists what is refused: a list of everything that
// interpreters, package managers and compilers need would be as long as the
// kernel's own. System calls that are newer than the list are refused with
// ENOSYS, as by an older kernel.

// errArch means that there is no table of system calls for this processor.
var errArch = errors.New("no seccomp filter for this processor")

// compare is the way in which a condition compares an argument. Only the low 32
// bits are compared, which is all that the kernel uses of flags, families and
// ioctl numbers. If all 64 were compared, setting a high bit would bypass the
// rule.
type compare int

const (
	equal compare = iota
	notEqual
	anyBit
	noBit
)

// cond is a condition on one half of an argument of a system call.
type cond struct {
	arg   uint
	high  bool // compare the high half, for a pointer
	how   compare
	value uint32
}

// rule refuses one system call if all its conditions are met.
type rule struct {
	nr    uintptr
	errno unix.Errno
	when  []cond
	why   string
}

// Offsets in struct seccomp_data. Both supported processors are little-endian.
const (
	offsetNR   = 0
	offsetArch = 4
	offsetArgs = 16
)

const seccompAllow, seccompErrno, seccompKill = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_ERRNO, unix.SECCOMP_RET_KILL_PROCESS

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func ret(value uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value}
}

func jump(op uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | op, Jt: yes, Jf: no, K: k}
}

// compileFilter turns the rules into a BPF program.
func compileFilter(rules []rule) ([]unix.SockFilter, error) {
	if auditArch == 0 {
		return nil, errArch
	}
	prog := []unix.SockFilter{
		load(offsetArch),
		jump(unix.BPF_JEQ, auditArch, 1, 0),
		ret(seccompKill), // another calling convention, with other numbers
		load(offsetNR),
		jump(unix.BPF_JGT, newestSyscall, 0, 1), // also refuses the numbers of x32
		ret(seccompErrno | uint32(unix.ENOSYS)),
	}
	for _, r := range rules {
		code := r.compile()
		if len(code) > 250 {
			return nil, fmt.Errorf("the seccomp rule %q is too long", r.why)
		}
		prog = append(prog, code...)
	}
	prog = append(prog, ret(seccompAllow))
	if len(prog) > 4096 {
		return nil, errors.New("the seccomp filter is too long")
	}
	return prog, nil
}

// compile returns the rule's instructions. They expect the system call's number
// in the accumulator, and leave it there if the rule does not match.
func (r rule) compile() []unix.SockFilter {
	var body []unix.SockFilter
	// Each condition takes two instructions; the return and the reload follow.
	end := 2 * len(r.when)
	for i, c := range r.when {
		miss := uint8(end - 2*i - 1) // #nosec G115 -- compileFilter bounds the length
		yes, no := uint8(0), miss
		op := uint16(unix.BPF_JEQ)
		if c.how == notEqual || c.how == noBit {
			yes, no = miss, 0
		}
		if c.how == anyBit || c.how == noBit {
			op = unix.BPF_JSET
		}
		offset := uint32(offsetArgs + 8*c.arg) // #nosec G115 -- arg < 6
		if c.high {
			offset += 4
		}
		body = append(body, load(offset), jump(op, c.value, yes, no))
	}
	body = append(body, ret(seccompErrno|uint32(r.errno))) // #nosec G115 -- error numbers are small
	if len(r.when) > 0 {
		body = append(body, load(offsetNR))
	}
	skip := uint8(len(body))                          // #nosec G115 -- compileFilter bounds the length
	head := jump(unix.BPF_JEQ, uint32(r.nr), 0, skip) // #nosec G115 -- numbers are below newestSyscall
	return append([]unix.SockFilter{head}, body...)
}

// filterFile returns an open file that contains the program in the form that
// bubblewrap reads.
func filterFile(prog []unix.SockFilter) (*os.File, error) {
	var buf bytes.Buffer
	for _, ins := range prog {
		if err := binary.Write(&buf, binary.NativeEndian, ins); err != nil {
			return nil, err
		}
	}
	return memoryFile("seccomp", buf.Bytes())
}

// installFilter permanently confines the calling process, with all its threads,
// and everything that it starts.
func installFilter(prog []unix.SockFilter) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]} // #nosec G115 -- compileFilter bounds the length
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog))) // #nosec G103 -- the call takes a pointer
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

// memoryFile returns an anonymous file with the given content, positioned at its
// start.
func memoryFile(name string, data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("bridge-"+name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err := f.WriteAt(data, 0); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("memfd: %w", err)
	}
	return f, nil
}
