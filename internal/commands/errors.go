package commands

import (
	"errors"
	"fmt"

	"example.org/bridge/internal/sandbox"
)

// Errors of commands. Nothing was run.
var (
	// ErrNoGrant reports that the operator has not opened the conversation for
	// commands, or no longer.
	ErrNoGrant = errors.New("the operator has not opened this conversation for commands")
	// ErrNoMode reports that the session has not chosen a mode under the grant.
	ErrNoMode = errors.New("no mode is chosen")
	// ErrQueueFull reports that too many requests wait for the operator.
	ErrQueueFull = errors.New("too many commands of this conversation wait for the operator")
	// ErrDenied reports that the operator has denied this command just now.
	ErrDenied = errors.New("the operator has denied this command")
	// ErrTooManyDenied reports that the operator has denied several in a row.
	ErrTooManyDenied = errors.New("the operator has denied several commands in a row: no more are accepted")
	// ErrApprovalUsed reports an approval that has run its command.
	ErrApprovalUsed = errors.New("the approval has been used: each is good for one run")
	// ErrApprovalExpired reports an approval that was not used in time.
	ErrApprovalExpired = errors.New("the approval has expired")
	// ErrApprovalChanged reports that there is no approval for just this: the
	// token is wrong, or what would run is not what was approved.
	ErrApprovalChanged = errors.New("there is no approval for exactly this command, as it would run now")
	// ErrNoSandbox reports that no sandbox works on this machine. Commands are then
	// refused, unless the operator opened the grant as unsandboxed.
	ErrNoSandbox = sandbox.ErrUnavailable
	// ErrNoRequest reports, to an operator, that a request does not exist.
	ErrNoRequest = errors.New("no such request")
	// ErrDecided reports, to an operator, a request that cannot be decided: it
	// was already, or its time is over, or another has taken its place.
	ErrDecided = errors.New("the request no longer waits for a decision")
	// ErrNotConfirmed reports that a human did not confirm what was asked.
	ErrNotConfirmed = errors.New("not confirmed: nothing was changed")
)

// RefusedError reports a command, or a mode, that the rules do not allow. The
// reason is for the agent that asked, and repeats little of what it asked for.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "refused: " + e.Reason }

func refused(format string, args ...any) error {
	return &RefusedError{Reason: fmt.Sprintf(format, args...)}
}

// ContentError is the [ErrApprovalChanged] of a command whose scripts are not as
// they were when it was approved. The names are safe to show.
type ContentError struct{ Names string }

func (e *ContentError) Error() string {
	return fmt.Sprintf("%v: %s changed after it was approved", ErrApprovalChanged, e.Names)
}

// Unwrap lets it pass for an [ErrApprovalChanged].
func (e *ContentError) Unwrap() error { return ErrApprovalChanged }
