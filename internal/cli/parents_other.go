//go:build !linux

package cli

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// parentProcesses returns the arguments of this process's ancestors, nearest first, as
// ps reports them.
func parentProcesses() ([][]string, error) {
	if runtime.GOOS == "windows" {
		return nil, errNoTerminal // commands cannot be run on this system either
	}
	var chain [][]string
	for pid := os.Getppid(); pid > 1 && len(chain) < maxParents; {
		out, err := exec.CommandContext(context.Background(), "/bin/ps", "-ww", "-o", "ppid=,command=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec // a number
		if err != nil {
			return nil, err
		}
		parent, command, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		chain = append(chain, strings.Fields(command))
		if pid, err = strconv.Atoi(parent); err != nil {
			return nil, err
		}
	}
	return chain, nil
}
