package cli

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// awaitEnd waits until a process has ended; it returns false if ctx ends first.
func awaitEnd(ctx context.Context, pid int) bool {
	queue, err := unix.Kqueue()
	if err != nil {
		return pollEnd(ctx, pid)
	}
	defer func() { _ = unix.Close(queue) }()
	unix.CloseOnExec(queue)
	var wanted unix.Kevent_t
	unix.SetKevent(&wanted, pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	wanted.Fflags = unix.NOTE_EXIT
	changes := []unix.Kevent_t{wanted}
	wait := unix.NsecToTimespec(starterPoll.Nanoseconds())
	for ctx.Err() == nil {
		events := make([]unix.Kevent_t, 1)
		n, err := unix.Kevent(queue, changes, events, &wait)
		switch {
		case errors.Is(err, unix.ESRCH): // it has ended already
			return true
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return pollEnd(ctx, pid)
		case n > 0:
			return true
		}
		changes = nil
	}
	return false
}
