package cli

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// parentProcesses returns the arguments of the processes that led to this one,
// the nearest first. Above the first, one that cannot be read ends the walk: it
// belongs to another user (proc(5), hidepid), as an agent's would not.
func parentProcesses() ([][]string, error) {
	var chain [][]string
	for pid := os.Getppid(); pid > 1 && len(chain) < maxParents; {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil && len(chain) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		chain = append(chain, strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00"))
		if pid, err = parentOf(pid); err != nil {
			break
		}
	}
	return chain, nil //nolint:nilerr // a parent that ended meanwhile ends the chain
}

// parentOf reads the fourth field of /proc/PID/stat (proc_pid_stat(5)), behind
// the name in parentheses, which may hold anything.
func parentOf(pid int) (int, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/stat is not as it should be", pid)
	}
	return strconv.Atoi(fields[1])
}
