//go:build unix

package privatefile

import (
	"context"
	"errors"
	"os"
	"time"

	"example.org/bridge/internal/sleep"
	"golang.org/x/sys/unix"
)

// lockEvery is how often a busy lock is tried again.
const lockEvery = 10 * time.Millisecond

// LockFolder locks a folder against other processes that lock it, which leaves no
// file behind, and gives up when ctx ends. The kernel frees the lock of a process
// that dies.
func LockFolder(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := Lock(ctx, f, lockEvery); err != nil && ctx.Err() != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // which unlocks; a filesystem may have no locks
}

// Lock locks f against other processes that lock it, and tries that again after each pause
// until ctx ends, whose error it then returns. Closing f unlocks it, and so does the end
// of the process. Where the filesystem has no locks, the error is the kernel's.
func Lock(ctx context.Context, f *os.File, pause time.Duration) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil || !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return err
		}
		if err := sleep.For(ctx, pause); err != nil {
			return err
		}
	}
}
