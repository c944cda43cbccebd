package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lockPoll is the interval at which a busy workspace is tried again.
const lockPoll = 50 * time.Millisecond

// lockWorkspace makes writable runs in one workspace wait for each other. A run
// removes its placeholders when it ends; if two runs overlapped, that would also
// remove the mount that protects the other run. A run that writes to the
// repository of a linked worktree also waits for runs in the main worktree.
//
// The locks are on the folders themselves. The supervisor inherits them, so the
// kernel releases them when the supervisor ends, not when the server does. If the
// run needs no lock, locks is empty.
//
// waited reports whether another run was using the workspace.
func lockWorkspace(ctx context.Context, s spec) (locks []*os.File, waited bool, err error) {
	if !s.Writable || s.Backend == None {
		return nil, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	// The worktree is always locked first, which prevents deadlocks.
	for _, path := range s.lockedFolders() {
		dir, busy, err := lockFolder(ctx, path)
		if err != nil {
			closeFiles(locks)
			return nil, false, err
		}
		locks, waited = append(locks, dir), waited || busy
	}
	return locks, waited, nil
}

func (s spec) lockedFolders() []string {
	if s.Linked == nil || !s.GitWrite || s.Backend == Landlock {
		return []string{s.Workspace}
	}
	main := s.Linked.Common
	if filepath.Base(main) == ".git" {
		main = filepath.Dir(main)
	}
	return []string{s.Workspace, main}
}

func lockFolder(ctx context.Context, path string) (_ *os.File, waited bool, err error) {
	dir, err := os.Open(path) // #nosec G304 -- the workspace, or its repository
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrWorkspace, err)
	}
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return dir, waited, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			_ = dir.Close()
			return nil, false, fmt.Errorf("%w: locking it: %w", ErrWorkspace, err)
		}
		waited = true
		select {
		case <-ctx.Done():
			_ = dir.Close()
			return nil, false, fmt.Errorf("%w: another command is running in it; try again later", ErrWorkspace)
		case <-tick.C:
		}
	}
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
