package bridge

import (
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/cleantext"
)

// Errors of the domain. Adapters choose the wording for their users.
var (
	// ErrUnauthorized is the single error for an unknown conversation and for a
	// token that is wrong, expired, rotated, or of another session or
	// conversation. It does not say which.
	ErrUnauthorized = errors.New("no such conversation, session and token, or the conversation has expired")
	// ErrOutOfBounds is returned to a caller that proves a session but whose access key is
	// for other conversations. It matches ErrUnauthorized.
	ErrOutOfBounds error = boundsError{}
	// ErrExpired reports that the conversation has expired and accepts nothing
	// new.
	ErrExpired = errors.New("the conversation has expired")
	// ErrBadJoinCode is returned for a join code that is not in the store: it is
	// wrong, was replaced, or belongs to another store.
	ErrBadJoinCode = errors.New("the store has no such join code")
	// ErrJoinCodeUsed is returned for a join code that was already redeemed.
	ErrJoinCodeUsed = errors.New("this join code was already used, and each code works once")
	// ErrJoinCodeExpired is returned for a join code that was not redeemed in
	// time.
	ErrJoinCodeExpired = errors.New("this join code has expired: codes are valid for ten minutes")
	// ErrNoResource is the single error for a URI of a resource that does not exist or
	// that belongs to another conversation.
	ErrNoResource = errors.New("there is no such resource, or it is not yours")
	// ErrNotFound reports, to an operator, that a conversation does not exist.
	ErrNotFound = errors.New("no such conversation")
)

// boundsError is the type of ErrOutOfBounds.
type boundsError struct{}

func (boundsError) Error() string        { return "the access key is for other conversations only" }
func (boundsError) Is(target error) bool { return target == ErrUnauthorized }

// Errors of the store. The operation was not carried out.
var (
	// ErrStoreMissing reports that there is no store yet, and that the operation
	// does not create one because it only reads.
	ErrStoreMissing = errors.New("there is no store yet")
	// ErrStoreEmpty reports an empty file. bridge never creates one.
	ErrStoreEmpty = errors.New("the store is an empty file")
	// ErrStoreForeign reports a file that is not a store of the bridge.
	ErrStoreForeign = errors.New("not a store of the bridge")
	// ErrStoreNewer reports a store that was migrated by a newer version of
	// bridge.
	ErrStoreNewer = errors.New("the store was made by a newer version of bridge")
	// ErrStorePermissions reports that other users can read or change the store,
	// or that it belongs to another user.
	ErrStorePermissions = errors.New("other users can access the store, or it is not yours")
	// ErrStoreKey reports that the key is not the one of the store.
	ErrStoreKey = errors.New("the key does not belong to the store")
	// ErrStoreFull reports that the disk is full. Nothing was stored.
	ErrStoreFull = errors.New("the disk is full")
	// ErrStoreReadOnly reports a store that cannot be written.
	ErrStoreReadOnly = errors.New("the store is read-only")
	// ErrStoreMoved reports a store that was copied to another place and then closed.
	ErrStoreMoved = errors.New("the store was moved")
	// ErrStoreNotMoved reports a store that was not closed by a move.
	ErrStoreNotMoved = errors.New("the store was not moved: it is open")
	// ErrStoreBusy reports that other processes kept the store locked too long.
	ErrStoreBusy = errors.New("the store is busy")
	// ErrStoreGone reports that the file of the store that the process has open
	// was deleted or replaced. What the process writes to it is lost to everybody
	// else.
	ErrStoreGone = errors.New("the store was removed or replaced while it was in use")
	// ErrStoreDamaged reports a store that SQLite finds corrupt.
	ErrStoreDamaged = errors.New("the store is damaged")
	// ErrStoreIO reports that the disk or its filesystem failed.
	ErrStoreIO = errors.New("the disk or its filesystem reported an error")
	// ErrStoreUnreachable reports that the store's server does not answer.
	ErrStoreUnreachable = errors.New("the store's server does not answer")
	// ErrStoreRefused reports that the store's server refused access.
	ErrStoreRefused = errors.New("the store's server refused access")
	// ErrTooManyFiles reports that the process, or the system, has reached its
	// limit of open files.
	ErrTooManyFiles = errors.New("too many files are open")
	// ErrNoMemory reports that the system is out of memory.
	ErrNoMemory = errors.New("memory ran out")
	// ErrNoLocks reports that the system has no more file locks available.
	ErrNoLocks = errors.New("the system has no more file locks available")
)

// ErrCutElsewhere reports an archive that does not continue where the audit log
// begins, because another process has archived entries meanwhile.
var ErrCutElsewhere = errors.New("the audit log no longer begins where this archive does: another process has archived entries meanwhile")

// ErrOutcomeUnknown reports that the last step of an operation failed, so that it
// is unknown whether it took effect. It is the only error of a store after which
// something may have been stored.
var ErrOutcomeUnknown = errors.New("it may have been stored: the last step failed")

// Errors of a connection to a gateway. Only ErrAnswerLost leaves it open
// whether the operation took effect.
var (
	// ErrGatewayAway reports that the gateway could not be reached. Nothing was
	// stored.
	ErrGatewayAway = errors.New("the gateway does not answer")
	// ErrAnswerLost reports that the request was sent to the gateway, but no answer
	// arrived.
	ErrAnswerLost = errors.New("it may have been stored: the connection to the gateway ended before its answer came")
	// ErrGatewayForeign reports that the server's certificate was not issued by the
	// authority of this connection. Nothing was sent to it.
	ErrGatewayForeign = errors.New("the server at the gateway's address is not the gateway")
	// ErrGatewayVersion reports a gateway that does not know an operation or its arguments.
	ErrGatewayVersion = errors.New("the gateway runs another version of bridge")
)

// BusyError is an ErrStoreBusy that includes the process that holds the store.
type BusyError struct{ Holder Holder }

// Holder is the process that is currently writing.
type Holder struct {
	PID int
	// Program is its name. It is empty if the system does not reveal it.
	Program string
	// Stopped reports that the process is stopped, for example by Ctrl-Z or a
	// debugger.
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

// Is makes a BusyError match ErrStoreBusy.
func (e *BusyError) Is(target error) bool { return target == ErrStoreBusy }

// InvalidError reports an argument that breaks a rule. Problem never repeats
// the argument's value.
type InvalidError struct {
	// Field is the argument's name in the tools.
	Field string
	// Problem says what is wrong and what is allowed.
	Problem string
}

func (e *InvalidError) Error() string { return e.Field + " " + e.Problem }

// Invalid returns an InvalidError.
func Invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// RateLimitError reports a call over a limit. Nothing happened apart from an
// entry in the audit log.
type RateLimitError struct {
	// What is limited, such as "sending and other changes" or "reading".
	What string
	// Window is "minute", "hour" or "day", and Limit is the number of calls
	// allowed in it.
	Window string
	Limit  int
	// RetryAfter is how long to wait, in whole seconds.
	RetryAfter time.Duration
}

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("rate limit: %s is limited to %d per %s; try again in %d seconds",
		e.What, e.Limit, e.Window, int(e.RetryAfter.Seconds()))
}

// movedSchema is added to the schema version of a moved store, so that every program
// refuses it. To an older version, it looks like the store of a newer one.
const movedSchema = 1_000_000

// MovedVersion returns the schema version that a store gets when it is moved.
func MovedVersion(version int64) int64 { return version + movedSchema }

// UnmovedVersion returns the schema version that a moved store had before the move. ok
// is false for a store that was not moved.
func UnmovedVersion(version int64) (before int64, ok bool) {
	return version - movedSchema, version > movedSchema
}

// CheckMoved returns ErrStoreMoved for the schema version of a moved store, and says
// how to open it again. name identifies the store in the message; it may be empty.
func CheckMoved(name string, version int64) error {
	if _, moved := UnmovedVersion(version); !moved {
		return nil
	}
	if name == "" {
		name = "STORE"
	}
	return fmt.Errorf("%w, and is closed: use its copy (--db, BRIDGE_DB); `bridge store reopen %s` opens this one again, "+
		"without what was added to the copy since", ErrStoreMoved, name)
}
