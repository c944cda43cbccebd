//go:build unix

package faultytest

import (
	"os/exec"
	"syscall"
)

// detach starts a program in its own session.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
