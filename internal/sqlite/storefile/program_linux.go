package storefile

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// program returns the name of a process, and whether it is stopped (proc_pid_stat(5)).
func program(pid int) (name string, stopped bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", false
	}
	from, to := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if from < 0 || to < from {
		return "", false
	}
	state := strings.TrimSpace(string(stat[to+1:]))
	return string(stat[from+1 : to]), strings.HasPrefix(state, "T") || strings.HasPrefix(state, "t")
}
