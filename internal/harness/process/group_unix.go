//go:build unix

package process

import (
	"os"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// endGroup tells a process group to end, or kills it.
func endGroup(p *os.Process, kill bool) error {
	signal := syscall.SIGTERM
	if kill {
		signal = syscall.SIGKILL
	}
	return syscall.Kill(-p.Pid, signal)
}

func killOne(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }
