package cli

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
)

// processArguments returns the arguments of a process, none if it cannot be
// read, and its parent, as ps tells them.
func processArguments(pid int) (arguments []string, parent int) {
	out, err := exec.CommandContext(context.Background(), "/bin/ps", "-ww", "-o", "ppid=,command=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec // a number
	if err != nil {
		return nil, 0
	}
	fields := strings.Fields(string(out))
	if len(fields) < 2 {
		return nil, 0
	}
	parent, _ = strconv.Atoi(fields[0]) // 0 if it is none
	return fields[1:], parent
}
