package cli

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// processArguments returns the arguments of a process, none if it cannot be
// read, and its parent.
func processArguments(pid int) (arguments []string, parent int) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(line) == 0 {
		return nil, 0
	}
	return strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00"), parentOf(pid)
}
