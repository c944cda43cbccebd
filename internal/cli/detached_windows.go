package cli

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// detached starts a process without a console, so that the end of this one's does
// not reach it.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}
