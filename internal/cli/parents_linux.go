package cli

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// parentProcesses returns the arguments of this process's ancestors, nearest first. If
// an ancestor beyond the first cannot be read, the list ends there: that process
// belongs to another user (proc(5), hidepid), so it is not an agent of this user.
func parentProcesses() ([][]string, error) {
	var chain [][]string
	for pid := os.Getppid(); pid > 1 && len(chain) < maxParents; pid = parentOf(pid) {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		switch {
		case err == nil:
			chain = append(chain, strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00"))
		case len(chain) > 0:
			return chain, nil
		default:
			return nil, err
		}
	}
	return chain, nil
}

// parentOf returns the fourth field of /proc/PID/stat (proc_pid_stat(5)), after the
// name in parentheses, which may contain any characters. It is 0 if that fails.
func parentOf(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1]) // 0 if it is not a number
	return parent
}
