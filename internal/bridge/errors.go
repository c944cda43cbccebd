package bridge

import (
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/cleantext"
)

// Errors of the domain. Adapters decide how to word them for their users.
var (
	// ErrUnauthorized is the one answer to a wrong, swapped, expired, rotated or
	// foreign token and to an unknown conversation. It does not say which.
	ErrUnauthorized = errors.New("no such conversation, session and token, or the conversation has expired")
	// ErrOutOfBounds is the answer to a caller that proves a session, and whose access key
	// is for other conversations. It counts as ErrUnauthorized.
	ErrOutOfBounds error = boundsError{}
	// ErrExpired reports that the conversation has expired: nothing more is
	// accepted on it.
	ErrExpired = errors.New("the conversation has expired")
	// ErrBadJoinCode is the answer to a join code that the store does not know: it
	// is wrong, was replaced, or is of another store.
	ErrBadJoinCode = errors.New("this store knows no such join code")
	// ErrJoinCodeUsed is the answer to one that was redeemed already.
	ErrJoinCodeUsed = errors.New("this join code was already used, and works once")
	// ErrJoinCodeExpired is the answer to one that nobody redeemed in time.
	ErrJoinCodeExpired = errors.New("this join code has run out: it works for ten minutes")
	// ErrNoResource is the one answer to a URI of nothing, and to one of what is another
	// conversation's.
	ErrNoResource = errors.New("there is no such resource, or it is not yours")
	// ErrNotFound reports, to an operator, that a conversation does not exist.
	ErrNotFound = errors.New("no such conversation")
)

// boundsError is the type of ErrOutOfBounds.
type boundsError struct{}

func (boundsError) Error() string        { return "the access key is for other conversations only" }
func (boundsError) Is(target error) bool { return target == ErrUnauthorized }

// Errors of the store. What was asked for did not happen.
var (
	// ErrStoreMissing reports that there is no store yet, and reading makes none.
	ErrStoreMissing = errors.New("there is no store yet")
	// ErrStoreEmpty reports a file without content: bridge never makes one.
	ErrStoreEmpty = errors.New("the store is an empty file")
	// ErrStoreForeign reports a file that is not a store of the bridge.
	ErrStoreForeign = errors.New("not a store of the bridge")
	// ErrStoreNewer reports a store that a newer bridge has migrated.
	ErrStoreNewer = errors.New("the store was made by a newer version of bridge")
	// ErrStorePermissions reports that others could read or change the store, or
	// that it belongs to another user.
	ErrStorePermissions = errors.New("the store is not yours alone")
	// ErrStoreKey reports a store and a key that do not belong together.
	ErrStoreKey = errors.New("the key does not belong to the store")
	// ErrStoreFull reports that the disk has no room. Nothing was stored.
	ErrStoreFull = errors.New("the disk is full")
	// ErrStoreReadOnly reports a store that cannot be written.
	ErrStoreReadOnly = errors.New("the store is read-only")
	// ErrStoreMoved reports a store that was copied to another place, and closed there.
	ErrStoreMoved = errors.New("the store was moved")
	// ErrStoreNotMoved reports a store that is not closed.
	ErrStoreNotMoved = errors.New("the store was not moved: it is open")
	// ErrStoreBusy reports that other processes kept the store locked too long.
	ErrStoreBusy = errors.New("the store is busy")
	// ErrStoreGone reports that another file, or none, has the name of the store
	// that the process has open: what it writes there nobody else would ever read.
	ErrStoreGone = errors.New("the store was removed or replaced while it was in use")
	// ErrStoreDamaged reports a store that SQLite finds corrupt.
	ErrStoreDamaged = errors.New("the store is damaged")
	// ErrStoreIO reports that the disk or its filesystem failed.
	ErrStoreIO = errors.New("the disk or its filesystem reported an error")
	// ErrStoreUnreachable reports that the server of the store does not answer.
	ErrStoreUnreachable = errors.New("the server of the store does not answer")
	// ErrStoreRefused reports that the server of the store refused who asked.
	ErrStoreRefused = errors.New("the server of the store refused access")
	// ErrTooManyFiles reports that the process, or the system, has as many files
	// open as it may.
	ErrTooManyFiles = errors.New("too many files are open")
	// ErrNoMemory reports that the system gave no memory.
	ErrNoMemory = errors.New("memory ran out")
	// ErrNoLocks reports that the system has no more locks on files to give.
	ErrNoLocks = errors.New("the system gives no more file locks")
)

// ErrCutElsewhere reports an archive that does not go on where the audit log begins:
// another process has archived meanwhile.
var ErrCutElsewhere = errors.New("the audit log does not begin where this archive does: it was archived meanwhile")

// ErrOutcomeUnknown reports that the last step of an operation failed, and it is
// not known whether it counts: what was to be stored may be there. It is the only
// error of a store after which something may have happened.
var ErrOutcomeUnknown = errors.New("it may have been stored: the last step failed")

// Errors of a connection to a gateway. Only ErrAnswerLost leaves open whether
// something happened.
var (
	// ErrGatewayAway reports that the gateway could not be asked: nothing was stored.
	ErrGatewayAway = errors.New("the gateway does not answer")
	// ErrAnswerLost reports that the gateway was asked, and its answer did not come.
	ErrAnswerLost = errors.New("it may have been stored: the connection to the gateway ended before its answer came")
	// ErrGatewayForeign reports that what answers has no certificate of the authority that
	// the connection was made for. Nothing was sent to it.
	ErrGatewayForeign = errors.New("what answers at the gateway's address is not the gateway")
	// ErrGatewayVersion reports a gateway that does not know an operation, or its arguments.
	ErrGatewayVersion = errors.New("the gateway is of another version of bridge")
)

// BusyError is an ErrStoreBusy that knows who holds the store.
type BusyError struct{ Holder Holder }

// Holder is the process that writes just now.
type Holder struct {
	PID int
	// Program is its name, and empty where the system does not tell.
	Program string
	// Stopped reports that it was stopped, as by Ctrl-Z or a debugger.
	Stopped bool
}

func (h Holder) String() string {
	text := fmt.Sprintf("process %d", h.PID)
	if h.Program != "" {
		text += fmt.Sprintf(" (%s)", h.Program)
	}
	if h.Stopped {
		return text + fmt.Sprintf(", which is stopped: continue it with `kill -CONT %d`, or end it", h.PID)
	}
	return text
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("%s: it is held by %s", ErrStoreBusy, cleantext.CleanLine(e.Holder.String()))
}

// Is makes it an ErrStoreBusy.
func (e *BusyError) Is(target error) bool { return target == ErrStoreBusy }

// InvalidError reports an argument that breaks a rule. Problem never repeats
// the argument's value.
type InvalidError struct {
	// Field is the argument's name, as the tools call it.
	Field string
	// Problem says what is wrong and what is allowed.
	Problem string
}

func (e *InvalidError) Error() string { return e.Field + " " + e.Problem }

// Invalid returns an InvalidError.
func Invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// RateLimitError reports a call over a limit. Nothing happened but an entry in
// the audit log.
type RateLimitError struct {
	// What is limited: "sending and other changes", "reading" and so on.
	What string
	// Window is "minute", "hour" or "day", and Limit what it allows.
	Window string
	Limit  int
	// RetryAfter is how long to wait, in whole seconds.
	RetryAfter time.Duration
}

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("rate limit: %s is limited to %d per %s; try again in %d seconds",
		e.What, e.Limit, e.Window, int(e.RetryAfter.Seconds()))
}

// movedSchema is added to the schema version of a store that was moved, so that every
// program refuses it: an older one takes it for a newer one's.
const movedSchema = 1_000_000

// MovedVersion is the schema version of a moved store that had this one.
func MovedVersion(version int64) int64 { return version + movedSchema }

// UnmovedVersion is the schema version that a moved store had before. ok is false for a
// store that was not moved.
func UnmovedVersion(version int64) (before int64, ok bool) {
	return version - movedSchema, version > movedSchema
}

// CheckMoved refuses, as ErrStoreMoved, a store with the schema version of one that was
// moved, and says how it is opened again. name tells people which it is; "" names none.
func CheckMoved(name string, version int64) error {
	if _, moved := UnmovedVersion(version); !moved {
		return nil
	}
	if name == "" {
		name = "STORE"
	}
	return fmt.Errorf("%w, and is closed: use its copy (--db, BRIDGE_DB); `bridge store reopen %s` opens this one again, "+
		"without what the copy has got since then", ErrStoreMoved, name)
}
