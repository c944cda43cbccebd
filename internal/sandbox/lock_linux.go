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

// lockPoll is how often a busy workspace is tried again.
const lockPoll = 50 * time.Millisecond

// lockWorkspace makes writable runs in one workspace wait for each other. A
// run that ends removes its placeholders, and a removed one would take with it
// the mount that protects another run. A run that writes to the repository of a
// linked worktree waits for the runs in the main worktree too. No files are no
// lock.
//
// A lock is on the folder itself, and the supervisor inherits it: the kernel
// frees it with the supervisor, not with the server.
//
// waited means that another run had the workspace first.
func lockWorkspace(ctx context.Context, s spec) (locks []*os.File, waited bool, err error) {
	if !s.Writable || s.Backend == None {
		return nil, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	// The worktree is always first, so that two runs never wait for each other.
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
