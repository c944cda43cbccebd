package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"

	"example.org/bridge/internal/bridge"
)

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html).
const (
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeProtocol = 15 // many processes at once at a log's locks
	codeNotADB   = 26
)

// codeShmSize is the extended code for an index of the log that cannot grow.
// That is the first thing to fail when a store is opened on a full disk.
const codeShmSize = codeIO | 19<<8

// translate gives an error of SQLite the domain's name for it.
func translate(err error) error {
	var known *sqlite.Error
	if !errors.As(err, &known) {
		return err
	}
	if known.Code() == codeShmSize {
		return fmt.Errorf("%w: %w", bridge.ErrStoreFull, err)
	}
	switch known.Code() & 0xff { // the extended codes keep the primary one below
	case codeBusy, codeLocked, codeProtocol:
		return fmt.Errorf("%w: %w", bridge.ErrStoreBusy, err)
	case codeReadOnly, codeCantOpen:
		return fmt.Errorf("%w: %w", bridge.ErrStoreReadOnly, err)
	case codeCorrupt:
		return fmt.Errorf("%w: %w", bridge.ErrStoreDamaged, err)
	case codeFull:
		return fmt.Errorf("%w: %w", bridge.ErrStoreFull, err)
	case codeNotADB:
		return fmt.Errorf("%w: %w", bridge.ErrStoreForeign, err)
	}
	return fmt.Errorf("store: %w", err)
}

// isBusy reports whether another process holds SQLite's lock.
func isBusy(err error) bool {
	var known *sqlite.Error
	return errors.As(err, &known) && known.Code()&0xff == codeBusy
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
