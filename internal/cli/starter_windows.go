package cli

import (
	"context"

	"golang.org/x/sys/windows"
)

// awaitEnd waits until a process has ended; it returns false if ctx ends first, or if
// waiting for the process is not permitted.
func awaitEnd(ctx context.Context, pid int) bool {
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid)) //nolint:gosec // G115: a process's number
	if err != nil {
		return false
	}
	defer func() { _ = windows.CloseHandle(process) }()
	for ctx.Err() == nil {
		event, err := windows.WaitForSingleObject(process, uint32(starterPoll.Milliseconds()))
		if err != nil {
			return false
		}
		if event == windows.WAIT_OBJECT_0 {
			return true
		}
	}
	return false
}
