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

// lockEvery is the time between two attempts to take a busy lock.
const lockEvery = 10 * time.Millisecond

// LockFolder locks a folder against other processes that use LockFolder. It
// creates no lock file, and fails when ctx ends. The kernel releases the lock of
// a process that dies.
func LockFolder(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := Lock(ctx, f, lockEvery); err != nil && ctx.Err() != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // closing unlocks; the filesystem may not support locks
}

// Lock locks f against other processes that use Lock. It retries after each pause until
// ctx ends, and then returns the error of ctx. Closing f releases the lock, as does the
// end of the process. If the filesystem does not support locks, the error is the kernel's.
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
