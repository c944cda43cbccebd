package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// processArguments returns the arguments of a process and its parent, as ps reports
// them. There are no arguments if the process cannot be read.
func processArguments(pid int) (arguments []string, parent int) {
	out, err := exec.CommandContext(context.Background(), "/bin/ps", "-ww", "-o", "ppid=,command=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec // a number
	if err != nil {
		return nil, 0
	}
	fields := strings.Fields(string(out))
	if len(fields) < 2 {
		return nil, 0
	}
	parent, _ = strconv.Atoi(fields[0]) // 0 if there is none
	return fields[1:], parent
}

// processEnvironment returns the variables with which a process was started; ok is
// false if they cannot be read. The kernel returns the number of arguments, the path of
// the program, padding, the arguments and the variables, each string ended by a zero
// byte (KERN_PROCARGS2).
func processEnvironment(pid int) ([]string, bool) {
	raw, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil || len(raw) < 4 {
		return nil, false
	}
	count := int(binary.NativeEndian.Uint32(raw))
	_, rest, _ := bytes.Cut(raw[4:], []byte{0})
	texts := strings.Split(string(bytes.TrimLeft(rest, "\x00")), "\x00")
	if count > len(texts) {
		return nil, false
	}
	return texts[count:], true
}
