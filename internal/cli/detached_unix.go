//go:build unix

package cli

import "syscall"

// detached starts a process in its own session, so that it survives the end of this
// process and signals from its terminal.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
