package binding

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// idleFor is how long a file that says only what was told, or who waits, is kept
// after its last change.
const idleFor = 7 * 24 * time.Hour

// Sweep removes files that are no longer needed and returns how many bindings were
// among them: bindings whose conversations have all expired or no longer exist,
// bindings of processes that have ended, and notices and waiters that have not changed
// for 7 days. live reports whether the token of an entry is still valid; a binding for
// which it fails stays. With dryRun nothing is removed.
func (f Folder) Sweep(ctx context.Context, now time.Time, dryRun bool, live func(Entry) (bool, error)) (int, error) {
	if _, err := os.Lstat(f.dir); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	gone := 0
	err := f.locked(ctx, func() error {
		names, err := fs.Glob(os.DirFS(f.dir), "*")
		if err != nil {
			return err
		}
		var errs []error
		for _, name := range names {
			path := filepath.Join(f.dir, name)
			stale, err := f.stale(path, now, live)
			errs = append(errs, err)
			if !stale || err != nil {
				continue
			}
			if strings.HasSuffix(path, recordSuffix) {
				gone++
			}
			if !dryRun {
				errs = append(errs, remove(path))
			}
		}
		return errors.Join(errs...)
	})
	return gone, err
}

// stale tells whether a file of the folder has no use any more.
func (f Folder) stale(path string, now time.Time, live func(Entry) (bool, error)) (bool, error) {
	if filepath.Base(path) == "lock" {
		return false, nil
	}
	if !strings.HasSuffix(path, recordSuffix) {
		info, err := os.Lstat(path)
		return err == nil && now.Sub(info.ModTime()) > idleFor, removed(err)
	}
	text, err := f.read(path)
	if err != nil {
		return false, removed(err)
	}
	r := parse(text)
	if r == nil {
		return false, nil // of another version, perhaps
	}
	if r.Process != nil && !r.Process.Alive() {
		return true, nil
	}
	var lookErr error
	used := slices.ContainsFunc(r.Entries, func(e Entry) bool {
		if e.expired(now) {
			return false
		}
		ok, err := live(e)
		lookErr = errors.Join(lookErr, err)
		return ok || err != nil
	})
	return !used && !r.Shared, lookErr
}

// Conversations returns the ids of all conversations in the folder that have not
// expired, including those of processes that have ended: sorted, without duplicates.
func (f Folder) Conversations(now time.Time) (all []string, err error) {
	names, err := fs.Glob(os.DirFS(f.dir), "*"+recordSuffix)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, name := range names {
		text, err := f.read(filepath.Join(f.dir, name))
		if err != nil {
			errs = append(errs, removed(err))
			continue
		}
		r := parse(text)
		if r == nil {
			continue // of another version, perhaps
		}
		for _, e := range r.Entries {
			if !e.expired(now) {
				all = append(all, e.Conversation)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), errors.Join(errs...)
}
