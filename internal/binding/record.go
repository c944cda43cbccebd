package binding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// suffix of the files with sessions. Other suffixes are for notices and
// waiters.
const recordSuffix = ".json"

// maxEntries is the maximum number of sessions in a binding. If there are more,
// the oldest are dropped.
const maxEntries = 128

// version of the files. Files of other versions are ignored.
const version = 1

type record struct {
	Version int `json:"version"`
	// Process is the process of the label, if it is for a process. Holder is
	// the server in it that wrote the record.
	Process *Process `json:"process,omitempty"`
	Holder  *Process `json:"holder,omitempty"`
	// Shared marks a process in which several servers run for different
	// sessions. Their sessions cannot be told apart, so none of the servers
	// gets them.
	Shared  bool    `json:"shared,omitempty"`
	Entries []Entry `json:"entries"`
}

// load reads the record of a label, if there is one.
func (f Folder) load(l Label) (*record, error) {
	text, err := f.read(f.path(l, recordSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parse(text), nil
}

// parse returns nil if data is not a valid record.
func parse(text []byte) *record {
	var r record
	if err := json.Unmarshal(text, &r); err != nil || r.Version != version {
		return nil
	}
	return &r
}

// save writes a record. If it is empty, it removes the file, and the notices of
// its session. The caller holds the lock.
func (f Folder) save(path string, r *record) error {
	if len(r.Entries) == 0 && !r.Shared {
		return remove(path)
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return f.replace(path, text)
}

// remove removes a record and the notices of its session.
func remove(path string) error {
	told := strings.TrimSuffix(path, recordSuffix) + noticeSuffix
	return errors.Join(removed(os.Remove(path)), removed(os.Remove(told)))
}

// removed ignores the error for a file that does not exist.
func removed(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// usable reports whether reader may have the sessions of the record. If another
// server of the same client process wrote it and is still running, it may not.
func (r *record) usable(reader Process) bool {
	if r == nil || r.Shared {
		return false
	}
	return r.Holder == nil || reader == (Process{}) || *r.Holder == reader || !r.Holder.Alive()
}

// Load returns the sessions stored for the labels that have not expired, without
// duplicates. reader is the server that asks; a hook passes the zero Process. Expired
// conversations are returned for a further 24 hours, in which they can be read and
// extended. A file whose sessions have all expired is removed.
func (f Folder) Load(now time.Time, reader Process, labels ...Label) ([]Entry, error) {
	var all []Entry
	for _, l := range labels {
		if f.dir == "" || l.none() {
			continue
		}
		r, err := f.load(l)
		if err != nil {
			return nil, err
		}
		if !r.usable(reader) {
			continue
		}
		if r.over(now) {
			f.prune(now, l)
		}
		for _, e := range r.Entries {
			if !e.expired(now) && !slices.ContainsFunc(all, e.names) {
				all = append(all, e)
			}
		}
	}
	return all, nil
}

// over reports whether all conversations of a record have ended.
func (r *record) over(now time.Time) bool {
	return !slices.ContainsFunc(r.Entries, func(e Entry) bool { return !e.expired(now) })
}

// pruneTimeout limits how long prune waits for other processes.
const pruneTimeout = 20 * time.Millisecond

// prune removes what has expired from a record. If that takes too long, it is
// left for a later call.
func (f Folder) prune(now time.Time, l Label) {
	ctx, cancel := context.WithTimeout(context.Background(), pruneTimeout)
	defer cancel()
	_ = f.locked(ctx, func() error {
		return f.change(l, func(r *record) {
			r.Entries = slices.DeleteFunc(r.Entries, func(e Entry) bool { return e.expired(now) })
		})
	})
}

// Has reports whether there is a readable binding for the label.
func (f Folder) Has(l Label) bool {
	r, err := f.load(l)
	return err == nil && r != nil
}

// Keep adds sessions to the bindings of the labels, or replaces their tokens. A binding
// has at most 128 sessions; the oldest are dropped. holder is the server that stores
// them; a hook passes the zero Process. If two running servers store sessions for the
// label of one process, the binding becomes unusable for both, because nobody could
// tell their sessions apart.
func (f Folder) Keep(ctx context.Context, now time.Time, holder Process, entries []Entry, labels ...Label) error {
	if f.dir == "" || len(entries) == 0 || First(labels...).none() {
		return nil
	}
	return f.locked(ctx, func() error {
		var errs []error
		for _, l := range labels {
			if l.none() {
				continue
			}
			errs = append(errs, f.change(l, func(r *record) { r.keep(now, l, holder, entries) }))
		}
		return errors.Join(errs...)
	})
}

func (f Folder) change(l Label, edit func(*record)) error {
	r, err := f.load(l)
	if err != nil {
		return err
	}
	if r == nil {
		r = &record{Version: version}
	}
	edit(r)
	return f.save(f.path(l, recordSuffix), r)
}

func (r *record) keep(now time.Time, l Label, holder Process, entries []Entry) {
	r.Entries = slices.DeleteFunc(r.Entries, func(e Entry) bool { return e.expired(now) })
	if l.process {
		if r.Shared || !r.usable(holder) {
			r.Shared, r.Entries = true, nil
			return
		}
		r.Process = l.owner()
		if holder != (Process{}) {
			r.Holder = &holder
		}
	}
	for _, e := range entries {
		if i := slices.IndexFunc(r.Entries, e.names); i >= 0 {
			e.Own = e.Own || r.Entries[i].Own
			if e.ExpiresAt.IsZero() {
				e.ExpiresAt = r.Entries[i].ExpiresAt
			}
			r.Entries[i] = e
			continue
		}
		r.Entries = append(r.Entries, e)
	}
	r.Entries = r.Entries[max(0, len(r.Entries)-maxEntries):]
}

// Forget removes a session whose token is no longer valid from all labels. A session
// whose token has been replaced in the meantime stays.
func (f Folder) Forget(ctx context.Context, gone Entry, labels ...Label) error {
	if f.dir == "" {
		return nil
	}
	return f.locked(ctx, func() error {
		var errs []error
		for _, l := range labels {
			if l.none() {
				continue
			}
			errs = append(errs, f.change(l, func(r *record) {
				r.Entries = slices.DeleteFunc(r.Entries, func(e Entry) bool { return e.names(gone) && e.Token == gone.Token })
			}))
		}
		return errors.Join(errs...)
	})
}

// locked runs fn while no other process changes the folder. It creates the
// folder if it does not exist.
func (f Folder) locked(ctx context.Context, fn func() error) error {
	if err := makeFolder(f.dir); err != nil {
		return err
	}
	unlock, err := lock(ctx, filepath.Join(f.dir, "lock"))
	if err != nil {
		return fmt.Errorf("wait for the bindings of other clients: %w", err)
	}
	defer unlock()
	return fn()
}

// makeFolder creates the folder of the bindings with private permissions,
// whatever the umask is, and refuses a folder that is not private.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		return os.Chmod(dir, 0o700) //nolint:gosec // G302: a folder needs x
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return checkFolder(dir)
}
