package sqlite

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlite/storefile"
)

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html).
const (
	codeBusy       = 5
	codeLocked     = 6
	codeNoMemory   = 7
	codeReadOnly   = 8
	codeIO         = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCantOpen   = 14
	codeProtocol   = 15 // many processes at once at a log's locks
	codeConstraint = 19
	codeNotADB     = 26
)

// Extended result codes that say more than their primary one.
const (
	codeDatabaseMoved = codeReadOnly | 4<<8
	codeShortRead     = codeIO | 2<<8 // less was there than there must be
	codeIONoMemory    = codeIO | 12<<8
	// codeShmSize is for an index of the log that cannot grow. That is the first
	// thing to fail when a store is opened on a full disk.
	codeShmSize = codeIO | 19<<8
	codeShmMap  = codeIO | 21<<8
)

// translate gives an error of SQLite about the store at path the domain's name
// for it.
func translate(path string, err error) error {
	var known *sqlite.Error
	if !errors.As(err, &known) {
		return storefile.Unwritable(err)
	}
	if errors.Is(err, bridge.ErrOutcomeUnknown) {
		return err
	}
	if name := nameOf(path, known.Code()); name != nil {
		return fmt.Errorf("%w: %w", name, err)
	}
	return fmt.Errorf("store: %w", err)
}

func nameOf(path string, code int) error {
	switch code {
	case codeDatabaseMoved:
		return bridge.ErrStoreGone
	case codeShortRead:
		return bridge.ErrStoreDamaged
	case codeIONoMemory, codeShmMap:
		return bridge.ErrNoMemory
	case codeShmSize:
		return bridge.ErrStoreFull
	}
	switch code & 0xff { // the extended codes keep the primary one below
	case codeBusy, codeLocked, codeProtocol:
		return bridge.ErrStoreBusy
	case codeNoMemory:
		return bridge.ErrNoMemory
	case codeReadOnly:
		return bridge.ErrStoreReadOnly
	case codeCantOpen:
		return cmp.Or(probe(path), bridge.ErrStoreReadOnly)
	case codeIO:
		return cmp.Or(probe(path), bridge.ErrStoreIO)
	case codeCorrupt:
		return bridge.ErrStoreDamaged
	case codeFull:
		return bridge.ErrStoreFull
	case codeNotADB:
		return bridge.ErrStoreForeign
	}
	return nil
}

// minSpace is less than what opening a store needs.
const minSpace = 256 << 10

// mostFiles is how many files SQLite has open for one connection: the database, its log,
// the log's index, a journal, and a folder. What it had opened before it failed is
// closed again.
const mostFiles = 5

// probe finds out why SQLite could not open or use a file, because its codes do
// not say: it tries what needs the same. It returns nil where nothing fails.
func probe(path string) error {
	dir := filepath.Dir(path)
	for range mostFiles {
		f, err := os.Open(dir) // a folder: closing it drops no locks of SQLite
		for _, name := range []error{bridge.ErrTooManyFiles, bridge.ErrNoMemory} {
			if errors.Is(storefile.Unwritable(err), name) {
				return name
			}
		}
		if err == nil {
			defer f.Close() //nolint:errcheck // nothing was written
		}
	}
	if free, err := storefile.FreeSpace(dir); err == nil && free < minSpace {
		return bridge.ErrStoreFull
	}
	if storefile.CheckWritable(dir) != nil {
		return bridge.ErrStoreReadOnly
	}
	return nil
}

// isUncertain reports an error of COMMIT after which the commit may count all the
// same: SQLite has written it, and failed to make sure that the disk has it.
// Where no room was left, or another process was in the way, it was not written.
func isUncertain(err error) bool {
	var known *sqlite.Error
	if !errors.As(err, &known) {
		return false
	}
	switch known.Code() & 0xff {
	case codeBusy, codeLocked, codeFull, codeReadOnly, codeConstraint:
		return false
	}
	return true
}

// isDamage reports an error that reading a file with the wrong content gives.
func isDamage(err error) bool {
	var known *sqlite.Error
	if !errors.As(err, &known) {
		return false
	}
	switch known.Code() & 0xff {
	case codeIO, codeCorrupt, codeNotADB:
		return true
	}
	return false
}

// isBusy reports whether another process holds SQLite's lock.
func isBusy(err error) bool {
	var known *sqlite.Error
	return errors.As(err, &known) && known.Code()&0xff == codeBusy
}

// isConstraint reports a row that breaks a rule of its table.
func isConstraint(err error) bool {
	var known *sqlite.Error
	return errors.As(err, &known) && known.Code()&0xff == codeConstraint
}

// explain gives an error of SQLite the domain's name for it. Where the files do
// not fit each other any more, that is the reason.
func (f openFiles) explain(err error) error {
	if isDamage(err) {
		if gone := f.Fit(); gone != nil {
			return gone
		}
	}
	return translate(f.Path(), err)
}
