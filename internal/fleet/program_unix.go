//go:build unix

package fleet

import (
	"os/exec"
	"syscall"
)

// killGroup makes the end of the command's context kill its whole process
// group.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
