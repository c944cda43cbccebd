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
// with the existing file, also while another process is still at it. The error is
// ErrThere for any other existing file, and ErrNothing if no entry is old enough. op is
// recorded.
func (s *Archives) Make(ctx context.Context, op bridge.Operation, path string, before time.Time) (made audit.Archived, err error) {
	trimmed, err := s.log.TrimAudit(ctx) // finish what an earlier call has left
	if err != nil {
		return made, err
	}
	base, err := s.log.AuditBase(ctx)
	if err != nil {
		return made, err
	}
	switch _, err := os.Lstat(path); {
	case err == nil:
		return s.resume(ctx, op, path, base, trimmed > 0)
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
	err = s.record(ctx, op, path, made)
	if errors.Is(err, bridge.ErrCutElsewhere) {
		err = errors.Join(err, os.Remove(path)) // no process can record it any more
	}
	return made, err
}

// record notes the archive at path in the store, and removes its entries from there. An
// archive that another process has noted meanwhile, from the same file, counts as
// recorded. After any other error than bridge.ErrCutElsewhere the file must be kept:
// another process may be about to note it.
func (s *Archives) record(ctx context.Context, op bridge.Operation, path string, made audit.Archived) error {
	err := s.note(ctx, op, path, made)
	if errors.Is(err, bridge.ErrCutElsewhere) {
		base, baseErr := s.log.AuditBase(ctx)
		if baseErr != nil {
			return baseErr
		}
		if noted, ok := base.Find(made.SHA256); ok && noted.Name == filepath.Base(path) {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	_, err = s.log.TrimAudit(ctx)
	return err
}

// write writes the entries after from, up to and including cut, into a new file, and
// reads it back. A file that cannot be read now is kept, because another process may
// have read and noted it; one that is not an archive cannot have been noted.
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
		err = errors.Join(err, os.Remove(path))
	case err == nil && !bytes.Equal(read.SHA256, made.SHA256):
		err = fmt.Errorf("%w: it does not hold what was written", audit.ErrNoArchive)
	}
	if err != nil {
		return made, fmt.Errorf("read the archive back: %w", err)
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
// killed.
func (s *Archives) resume(ctx context.Context, op bridge.Operation, path string, base audit.Base, trimmed bool) (made audit.Archived, err error) {
	if made, err = s.read(ctx, path, nil, func(audit.Entry) error { return nil }); err != nil {
		return made, fmt.Errorf("%w: %w", ErrThere, err)
	}
	if !base.GoesOn(made) {
		if _, ok := base.Find(made.SHA256); ok && trimmed {
			return made, nil // it was recorded, and the rest of its entries has just been removed
		}
		return made, fmt.Errorf("%w: it holds the entries %d to %d", ErrThere, made.First, made.Last)
	}
	return made, s.record(ctx, op, path, made)
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
