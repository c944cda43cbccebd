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
	codeProtocol   = 15 // many processes compete for the locks of a log
	codeConstraint = 19
	codeNotADB     = 26
)

// Extended result codes that say more than the primary code.
const (
	codeDatabaseMoved = codeReadOnly | 4<<8
	codeShortRead     = codeIO | 2<<8 // a read returned fewer bytes than required
	codeIONoMemory    = codeIO | 12<<8
	// codeShmSize means that the index of the log cannot grow. On a full disk this is
	// the first thing to fail when a store is opened.
	codeShmSize = codeIO | 19<<8
	codeShmMap  = codeIO | 21<<8
)

// translate maps an error of SQLite about the store at path to the domain's error for
// it.
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
	switch code & 0xff { // extended codes have the primary code in the low byte
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

// minSpace is a number of free bytes that is too small to open a store.
const minSpace = 256 << 10

// mostFiles is the number of files that SQLite has open for one connection: the
// database, its log, the log's index, a journal, and a folder. Files opened before a
// failure have been closed again.
const mostFiles = 5

// probe determines why SQLite could not open or use a file, which its result codes do
// not tell, by trying operations that need the same resources. It returns nil if all of
// them succeed.
func probe(path string) error {
	dir := filepath.Dir(path)
	for range mostFiles {
		f, err := os.Open(dir) // this is a folder, so closing it drops no locks of SQLite
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

// isUncertain reports whether a COMMIT that returned err may have taken effect: SQLite
// has written the transaction but could not make sure that it is on the disk. If the
// disk was full, or another process held the lock, it was not written.
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

// isDamage reports whether err can result from reading a file with invalid content.
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

// isBusy reports whether err says that another process holds SQLite's lock.
func isBusy(err error) bool {
	var known *sqlite.Error
	return errors.As(err, &known) && known.Code()&0xff == codeBusy
}

// isConstraint reports whether err says that a row violates a constraint of its table.
func isConstraint(err error) bool {
	var known *sqlite.Error
	return errors.As(err, &known) && known.Code()&0xff == codeConstraint
}

// explain maps an error of SQLite to the domain's error for it. If the store's files no
// longer fit each other, that is reported as the reason.
func (f openFiles) explain(err error) error {
	if isDamage(err) {
		if gone := f.Fit(); gone != nil {
			return gone
		}
	}
	return translate(f.Path(), err)
}
