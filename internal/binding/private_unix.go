//go:build unix

package binding

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"example.org/bridge/internal/privatefile"
	"golang.org/x/sys/unix"
)

// checkFolder refuses a folder that other users can access, and a symbolic link
// to one.
func checkFolder(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is not a folder", ErrUnsafe, dir)
	}
	return privatefile.Check(dir, info, privatefile.Closed)
}

// lockEvery is the time between two attempts to take a busy lock.
const lockEvery = time.Millisecond

// lock takes the lock file, or fails when ctx ends. The kernel releases the
// lock of a process that dies.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := privatefile.Lock(ctx, f, lockEvery); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // which releases the lock
}
