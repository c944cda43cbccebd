package commands

import (
	"errors"
	"fmt"

	"example.org/bridge/internal/sandbox"
)

// Errors of commands. After each of these, nothing was run.
var (
	// ErrNoGrant reports that the operator has not opened the conversation for
	// commands, or that the grant has ended.
	ErrNoGrant = errors.New("the operator has not opened this conversation for commands")
	// ErrNoMode reports that the session has not chosen a mode under the grant.
	ErrNoMode = errors.New("no mode is chosen")
	// ErrQueueFull reports that too many requests are waiting for the operator.
	ErrQueueFull = errors.New("too many commands of this conversation wait for the operator")
	// ErrDenied reports that the operator denied this command recently.
	ErrDenied = errors.New("the operator has denied this command")
	// ErrTooManyDenied reports that the operator has denied several requests in a row.
	ErrTooManyDenied = errors.New("the operator has denied several commands in a row: no more are accepted")
	// ErrApprovalUsed reports an approval that has already been used.
	ErrApprovalUsed = errors.New("the approval has been used: each allows one run")
	// ErrApprovalExpired reports an approval that was not used in time.
	ErrApprovalExpired = errors.New("the approval has expired")
	// ErrApprovalChanged reports that no approval matches: the token is wrong, or the
	// command that would run differs from the approved one.
	ErrApprovalChanged = errors.New("there is no approval for exactly this command, as it would run now")
	// ErrNoSandbox reports that no sandbox works on this machine. Commands are then
	// refused unless the operator opened the grant without a sandbox.
	ErrNoSandbox = sandbox.ErrUnavailable
	// ErrNoRequest reports to an operator that a request does not exist.
	ErrNoRequest = errors.New("no such request")
	// ErrDecided reports to an operator that a request can no longer be decided: it was
	// decided already, has expired, or was replaced by another.
	ErrDecided = errors.New("the request no longer waits for a decision")
	// ErrNotConfirmed reports that a human did not give the confirmation that was asked
	// for.
	ErrNotConfirmed = errors.New("not confirmed: nothing was changed")
)

// RefusedError reports a command or a mode that the rules do not allow. The reason is
// addressed to the agent and repeats little of the agent's own text.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "refused: " + e.Reason }

func refused(format string, args ...any) error {
	return &RefusedError{Reason: fmt.Sprintf(format, args...)}
}

// ContentError is the [ErrApprovalChanged] for a command whose scripts have changed
// since it was approved. The names are safe to show.
type ContentError struct{ Names string }

func (e *ContentError) Error() string {
	return fmt.Sprintf("%v: %s changed after it was approved", ErrApprovalChanged, e.Names)
}

// Unwrap returns [ErrApprovalChanged].
func (e *ContentError) Unwrap() error { return ErrApprovalChanged }
