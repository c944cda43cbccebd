// Package archive moves the older part of an audit log into files, and verifies a log
// across them. The format of the files and their seals are in package audit.
package archive

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/privatefile"
)

// Log is the part of bridge.Store that concerns the audit log.
type Log interface {
	WalkAudit(ctx context.Context, begin func(audit.Base) error, visit func(audit.Entry) error) (audit.Head, error)
	AuditBase(ctx context.Context) (audit.Base, error)
	AuditCut(ctx context.Context, before time.Time) (int64, error)
	NoteArchive(ctx context.Context, op bridge.Operation, a audit.Archived) error
	TrimAudit(ctx context.Context) (int64, error)
}

var (
	// ErrNothing reports that no entry of the log may be archived.
	ErrNothing = errors.New("the audit log has no entries to archive")
	// ErrThere reports that a file already exists and is not replaced.
	ErrThere = errors.New("this file already exists: name a new one")
)

// Archives creates and reads the archives of one store.
type Archives struct {
	log   Log
	chain audit.Chain
}

// New returns the archives of a store with the given key.
func New(log Log, key bridge.Key) *Archives {
	return &Archives{log: log, chain: bridge.AuditChain(key)}
}

// Base returns where the log of the store begins.
func (s *Archives) Base(ctx context.Context) (audit.Base, error) { return s.log.AuditBase(ctx) }

// Make moves the entries from before a time into a new file at path, and returns what
// the file contains. It verifies the whole log first. The file has its name, is synced
// and was read back before the store removes anything, so that a process killed at any
// moment loses nothing. Calling Make again with the same path then completes the work
// with the existing file. The error is ErrThere for any other existing file, and
// ErrNothing if no entry is old enough. op is recorded.
func (s *Archives) Make(ctx context.Context, op bridge.Operation, path string, before time.Time) (made audit.Archived, err error) {
	base, left, err := s.trimmed(ctx)
	if err != nil {
		return made, err
	}
	switch _, err := os.Lstat(path); {
	case err == nil:
		return s.resume(ctx, op, path, base, left)
	case !errors.Is(err, fs.ErrNotExist):
		return made, err
	}
	cut, err := s.log.AuditCut(ctx, before)
	if err != nil {
		return made, err
	}
	from := base.Archived().Seq // another process may not have removed all that it archived
	if cut <= from {
		return made, ErrNothing
	}
	if made, err = s.write(ctx, path, from, cut); err != nil {
		return made, err
	}
	return made, s.record(ctx, op, path, made, true)
}

// trimmed finishes what an earlier call has left. It returns where the log begins after
// that, and the number of the last entry that was not in the log before.
func (s *Archives) trimmed(ctx context.Context) (base audit.Base, left int64, err error) {
	if base, err = s.log.AuditBase(ctx); err != nil {
		return base, left, err
	}
	left = base.Seq
	if _, err = s.log.TrimAudit(ctx); err != nil {
		return base, left, err
	}
	base, err = s.log.AuditBase(ctx)
	return base, left, err
}

// record notes the archive at path in the store, and removes its entries from there. If
// another process has noted the same file meanwhile, it is recorded. If another one has
// noted other files, a file that this process wrote is removed if nobody needs it.
// After any other error it is kept, because another process may be about to note it.
func (s *Archives) record(ctx context.Context, op bridge.Operation, path string, made audit.Archived, own bool) error {
	err := s.note(ctx, op, path, made)
	if errors.Is(err, bridge.ErrCutElsewhere) {
		base, baseErr := s.log.AuditBase(ctx)
		if baseErr != nil {
			return unrecorded(baseErr)
		}
		if noted, known := base.Find(made.SHA256); !known || noted.Name != filepath.Base(path) {
			if own && s.isNeedless(ctx, path, made, base) {
				err = errors.Join(err, os.Remove(path))
			}
			return err
		}
		err = nil
	}
	if err != nil {
		return unrecorded(err)
	}
	_, err = s.log.TrimAudit(ctx)
	return err
}

// isNeedless reports whether the file at path is still the one that was made, and the
// log goes on without it: either other entries were noted in its place, which is final,
// or another file beside it with the same content. Two names may mean one file, by a link
// or in a file system that ignores case.
func (s *Archives) isNeedless(ctx context.Context, path string, made audit.Archived, base audit.Base) bool {
	noted, known := base.Find(made.SHA256)
	if !known {
		return s.holds(ctx, path, made.SHA256)
	}
	beside := filepath.Join(filepath.Dir(path), noted.Name)
	own, err := os.Lstat(path)
	other, otherErr := os.Lstat(beside)
	if err != nil || otherErr != nil || !other.Mode().IsRegular() || os.SameFile(own, other) {
		return false
	}
	return s.holds(ctx, path, made.SHA256) && s.holds(ctx, beside, made.SHA256)
}

// holds reports whether an archive can be read at path and has that SHA-256 digest.
func (s *Archives) holds(ctx context.Context, path string, digest []byte) bool {
	read, err := s.read(ctx, path, nil, func(audit.Entry) error { return nil })
	return err == nil && bytes.Equal(read.SHA256, digest)
}

// unrecorded adds what to do to the error of an archive that was written and not noted.
func unrecorded(err error) error {
	return fmt.Errorf("the file is written but not recorded: run the same command again before you archive into another file: %w", err)
}

// write writes the entries after from, up to and including cut, into a new file, and
// reads it back. The file is kept even if that fails, because another process may have
// read and noted it.
func (s *Archives) write(ctx context.Context, path string, from, cut int64) (made audit.Archived, err error) {
	privatefile.Sweep(filepath.Dir(path))
	err = privatefile.Write{New: true, Durable: true}.Stream(path, func(to io.Writer) error {
		made, err = s.fill(ctx, to, from, cut)
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return made, ErrThere
	}
	if err != nil {
		return made, err
	}
	read, err := s.read(ctx, path, nil, func(audit.Entry) error { return nil })
	switch {
	case errors.Is(err, audit.ErrNoArchive):
		return made, fmt.Errorf("read the archive back: %w", err)
	case err != nil:
		return made, unrecorded(fmt.Errorf("read the archive back: %w", err))
	case !bytes.Equal(read.SHA256, made.SHA256):
		return made, fmt.Errorf("read the archive back: %w: it does not hold what was written", audit.ErrNoArchive)
	}
	return made, nil
}

// fill verifies the log of the store and writes its entries after from, up to and
// including cut. The error is bridge.ErrCutElsewhere if another process has archived
// entries meanwhile.
func (s *Archives) fill(ctx context.Context, to io.Writer, from, cut int64) (made audit.Archived, err error) {
	v := s.chain.Verifier()
	var w *audit.ArchiveWriter
	head, err := s.log.WalkAudit(ctx, func(base audit.Base) (err error) {
		if err := v.Begin(base); err != nil {
			return err
		}
		if base.Archived().Seq != from {
			return bridge.ErrCutElsewhere
		}
		w, err = s.chain.NewArchive(to, base)
		return err
	}, func(e audit.Entry) error {
		if err := errors.Join(ctx.Err(), v.Next(e)); err != nil || e.Seq > cut {
			return err
		}
		return w.Add(e)
	})
	if err != nil {
		return made, err
	}
	if err := v.End(head); err != nil {
		return made, err
	}
	return w.End()
}

// note records the archive in the store.
func (s *Archives) note(ctx context.Context, op bridge.Operation, path string, made audit.Archived) error {
	made.Name, made.At = filepath.Base(path), op.Now.UTC().Truncate(time.Microsecond)
	op.Details["file"], op.Details["sha256"] = made.Name, hex.EncodeToString(made.SHA256)
	op.Details["first"], op.Details["last"], op.Details["head"] = made.First, made.Last, made.Head().String()
	return s.log.NoteArchive(ctx, op, made)
}

// resume continues with a file that another process has written, which may have been
// killed. Entries after left were in the log before this call.
func (s *Archives) resume(ctx context.Context, op bridge.Operation, path string, base audit.Base, left int64) (made audit.Archived, err error) {
	made, err = s.read(ctx, path, nil, func(audit.Entry) error { return nil })
	switch {
	case errors.Is(err, audit.ErrNoArchive):
		return made, fmt.Errorf("%w: %w", ErrThere, err)
	case err != nil:
		return made, err
	}
	if !base.GoesOn(made) {
		noted, known := base.Find(made.SHA256)
		if known && made.Last > left {
			return made, nil // it was recorded, and the rest of its entries has just been removed
		}
		what := fmt.Sprintf("it holds the entries %d to %d", made.First, made.Last)
		switch {
		case known && noted.Name != filepath.Base(path):
			what += fmt.Sprintf(", which are recorded as %q", noted.Name)
		case !known && made.Last <= base.Archived().Seq:
			what += ", which are recorded in other archives"
		}
		return made, fmt.Errorf("%w: %s", ErrThere, what)
	}
	if err := syncFile(path); err != nil {
		return made, err
	}
	return made, s.record(ctx, op, path, made, false)
}

// syncFile makes a file and its name survive a power failure. The process that wrote it
// may have been killed before it could.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // for writing, because Windows syncs no other file
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return privatefile.SyncFolder(filepath.Dir(path))
}

// read reads and verifies an archive.
func (s *Archives) read(ctx context.Context, path string, begin func(audit.Base) error, visit func(audit.Entry) error, noted ...audit.Head) (read audit.Archived, err error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() { // opening a pipe would block
		err = fmt.Errorf("%w: it is not a file", audit.ErrNoArchive)
	}
	if err != nil {
		return read, err
	}
	f, err := os.Open(path)
	if err != nil {
		return read, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	read, err = s.chain.ReadArchive(f, begin, func(e audit.Entry) error { return errors.Join(ctx.Err(), visit(e)) }, noted...)
	read.Name = filepath.Base(path)
	return read, err
}
