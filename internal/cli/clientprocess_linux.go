package cli

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// processArguments returns the arguments of a process and its parent. There are no
// arguments if the process cannot be read.
func processArguments(pid int) (arguments []string, parent int) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(line) == 0 {
		return nil, 0
	}
	return splitZeros(line), parentOf(pid)
}

// processEnvironment returns the variables with which a process was started; ok is
// false if they cannot be read.
func processEnvironment(pid int) ([]string, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return nil, false
	}
	return splitZeros(text), true
}

func splitZeros(text []byte) []string {
	return strings.Split(string(bytes.TrimRight(text, "\x00")), "\x00")
}
