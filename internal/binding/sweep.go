package binding

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// idleFor is how long a file with only notices or a waiter is kept after its
// last change.
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

// stale reports whether a file of the folder is no longer needed.
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
		return false, nil // perhaps of another version
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

// Conversations returns the IDs of all conversations in the folder that have not
// expired, including those of processes that have ended, sorted and without
// duplicates.
func (f Folder) Conversations(now time.Time) (all []string, err error) {
	entries, err := f.All(now)
	for _, e := range entries {
		all = append(all, e.Conversation)
	}
	return slices.Compact(all), err
}

// All returns every stored session that has not expired, of any client, including those
// of processes that have ended, without duplicates and sorted by conversation and
// session. If the error is not nil, it reports what could not be read, and the result
// holds the rest.
func (f Folder) All(now time.Time) (all []Entry, err error) {
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
			continue // perhaps of another version
		}
		for _, e := range r.Entries {
			if !e.expired(now) && !slices.ContainsFunc(all, e.names) {
				all = append(all, e)
			}
		}
	}
	slices.SortFunc(all, func(x, y Entry) int {
		return cmp.Or(strings.Compare(x.Conversation, y.Conversation), strings.Compare(x.Session, y.Session))
	})
	return all, errors.Join(errs...)
}
