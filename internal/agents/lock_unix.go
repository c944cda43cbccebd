//go:build unix

package agents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockEvery is how often a busy lock is tried again.
const lockEvery = 10 * time.Millisecond

// lockHome locks the home folder against other installations, which leaves no
// file behind. The kernel frees the lock of a process that dies.
func lockHome(ctx context.Context, home string) (unlock func(), err error) {
	f, err := os.Open(home)
	if err != nil {
		return nil, fmt.Errorf("the home folder cannot be locked: %w", err)
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil // which unlocks
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			return func() { _ = f.Close() }, nil // a filesystem without locks
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(errBusy, f.Close())
		case <-time.After(lockEvery):
		}
	}
}
