package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// endGroup kills a process and its descendants. On Windows a process without a console
// cannot be told to end.
func endGroup(p *os.Process, kill bool) error {
	if !kill {
		return nil
	}
	tool := filepath.Join(os.Getenv("SystemRoot"), "System32", "taskkill.exe")
	_ = exec.Command(tool, "/T", "/F", "/PID", strconv.Itoa(p.Pid)).Run() //nolint:gosec // the system's own tool, with a number
	return p.Kill()
}

func killOne(int) {}
