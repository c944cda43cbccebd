package cli

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// awaitEnd waits until a process has ended; it returns false if ctx ends first.
func awaitEnd(ctx context.Context, pid int) bool {
	fd, err := unix.PidfdOpen(pid, 0) // Linux 5.3
	if err != nil {
		return pollEnd(ctx, pid)
	}
	defer func() { _ = unix.Close(fd) }()
	for ctx.Err() == nil {
		// A pidfd is readable once its process has ended (pidfd_open(2)).
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(starterPoll.Milliseconds()))
		if n > 0 {
			return true
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return pollEnd(ctx, pid)
		}
	}
	return false
}
