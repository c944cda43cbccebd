// Package archive moves the older part of an audit log into files, and follows a log
// through them. What a file holds and how it is sealed is in package audit.
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

// Log is the part of a store that has its audit log (bridge.Store).
type Log interface {
	WalkAudit(ctx context.Context, begin func(audit.Base) error, visit func(audit.Entry) error) (audit.Head, error)
	AuditBase(ctx context.Context) (audit.Base, error)
	AuditCut(ctx context.Context, before time.Time) (int64, error)
	NoteArchive(ctx context.Context, op bridge.Operation, a audit.Archived) error
	TrimAudit(ctx context.Context) (int64, error)
}

var (
	// ErrNothing reports that the log has no entry that may go into an archive.
	ErrNothing = errors.New("the audit log has no such entries")
	// ErrThere reports a file that is there and is not replaced.
	ErrThere = errors.New("this file is there already: name a new one")
)

// Archives makes and reads the archives of one store.
type Archives struct {
	log   Log
	chain audit.Chain
}

// New returns the archives of the store with the key.
func New(log Log, key bridge.Key) *Archives {
	return &Archives{log: log, chain: bridge.AuditChain(key)}
}

// Base tells where the log of the store begins.
func (s *Archives) Base(ctx context.Context) (audit.Base, error) { return s.log.AuditBase(ctx) }

// Make moves the entries from before a time into a new file at path, and returns what is
// in it. The whole log is verified first. The file has its name, is on the disk and was
// read again before the store removes anything: who is killed at any moment loses nothing.
// A second call with the same path then goes on with the file that is there; one that is
// anything else is ErrThere, and ErrNothing says that nothing is old enough. op is recorded.
func (s *Archives) Make(ctx context.Context, op bridge.Operation, path string, before time.Time) (made audit.Archived, err error) {
	trimmed, err := s.log.TrimAudit(ctx) // what an earlier call left
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
	if cut <= base.Seq {
		return made, ErrNothing
	}
	if made, err = s.write(ctx, path, base.Archived().Seq, cut); err != nil {
		return made, err
	}
	if err := s.note(ctx, op, path, made); err != nil {
		if !errors.Is(err, bridge.ErrOutcomeUnknown) {
			err = errors.Join(err, os.Remove(path)) // which nobody else has seen
		}
		return made, err
	}
	_, err = s.log.TrimAudit(ctx)
	return made, err
}

// write writes the entries behind a number and up to another into a new file, and reads it
// again.
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
	if err == nil && !bytes.Equal(read.SHA256, made.SHA256) {
		err = fmt.Errorf("%w: it does not hold what was written", audit.ErrNoArchive)
	}
	if err != nil {
		return made, errors.Join(fmt.Errorf("read the archive again: %w", err), os.Remove(path))
	}
	return made, nil
}

// fill verifies the log of the store and writes its entries behind a number and up to
// another. The error is bridge.ErrCutElsewhere where others have archived meanwhile.
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

// note lets the store know of the archive.
func (s *Archives) note(ctx context.Context, op bridge.Operation, path string, made audit.Archived) error {
	made.Name, made.At = filepath.Base(path), op.Now.UTC().Truncate(time.Microsecond)
	op.Details["file"], op.Details["sha256"] = made.Name, hex.EncodeToString(made.SHA256)
	op.Details["first"], op.Details["last"], op.Details["head"] = made.First, made.Last, made.Head().String()
	return s.log.NoteArchive(ctx, op, made)
}

// resume goes on with a file that a killed process has made.
func (s *Archives) resume(ctx context.Context, op bridge.Operation, path string, base audit.Base, trimmed bool) (made audit.Archived, err error) {
	if made, err = s.read(ctx, path, nil, func(audit.Entry) error { return nil }); err != nil {
		return made, fmt.Errorf("%w: %w", ErrThere, err)
	}
	if !base.GoesOn(made) {
		if known := base.Archives; trimmed && bytes.Equal(known[len(known)-1].SHA256, made.SHA256) {
			return made, nil // it was noted, and what was left to be removed is gone
		}
		return made, fmt.Errorf("%w: it has the entries %d to %d", ErrThere, made.First, made.Last)
	}
	if err := s.note(ctx, op, path, made); err != nil {
		return made, err
	}
	_, err = s.log.TrimAudit(ctx)
	return made, err
}

// read reads an archive and checks it.
func (s *Archives) read(ctx context.Context, path string, begin func(audit.Base) error, visit func(audit.Entry) error, noted ...audit.Head) (read audit.Archived, err error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() { // a pipe would be waited for
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
