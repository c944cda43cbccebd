//go:build unix

package cli

import "syscall"

// detached starts a process in a session of its own, so that neither the end of
// this one nor a terminal's reaches it.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
