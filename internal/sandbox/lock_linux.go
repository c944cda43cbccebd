package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockPoll is how often a busy workspace is tried again.
const lockPoll = 50 * time.Millisecond

// lockWorkspace makes writable runs in one workspace wait for each other. A
// run that ends removes its placeholders, and a removed one would take with it
// the mount that protects another run. A nil file is no lock.
//
// The lock is on the folder itself, and the supervisor inherits it: the kernel
// frees it with the supervisor, not with the server.
func lockWorkspace(ctx context.Context, s spec) (*os.File, error) {
	if !s.Writable || s.Backend == None {
		return nil, nil
	}
	dir, err := os.Open(s.Workspace)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWorkspace, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			_ = dir.Close()
			return nil, fmt.Errorf("%w: locking it: %w", ErrWorkspace, err)
		}
		select {
		case <-ctx.Done():
			_ = dir.Close()
			return nil, fmt.Errorf("%w: another command is running in it; try again later", ErrWorkspace)
		case <-tick.C:
		}
	}
}
