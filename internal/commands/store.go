package commands

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

// Store is the part of a Store that keeps grants, requests to run
// commands, and approvals (docs/yolo.md). An approval is used once, whatever
// number of processes try: UseApproval is one conditional change, recorded in
// the same transaction.
type Store interface {
	// PeekCommand looks at all that decides about a session's command. It
	// changes and records nothing.
	PeekCommand(ctx context.Context, conversation string, session bridge.SessionID, command string) (View, error)
	// SetYoloMode keeps what g's session chose under its grant. The error may be
	// ErrNoGrant. It returns the number of messages that wait for g.
	SetYoloMode(ctx context.Context, g bridge.Gate, m SessionMode) (unread int64, err error)
	// CheckCommand records a command that was only to be judged.
	CheckCommand(ctx context.Context, g bridge.Gate) (unread int64, err error)
	// RefuseCommand passes g and records that the command is refused. A nil
	// error means that it is.
	RefuseCommand(ctx context.Context, g bridge.Gate) error
	// QueueCommand keeps r for the operator, in place of what the session
	// asked before for the same command and nobody has decided. Errors:
	// ErrNoGrant, ErrQueueFull, ErrDenied and ErrTooManyDenied, by the limits given.
	QueueCommand(ctx context.Context, g bridge.Gate, r Request, l QueueLimits) (id, unread int64, err error)
	// UseApproval consumes the approval, if it is just what u says. Errors:
	// ErrNoGrant, ErrApprovalUsed, ErrApprovalExpired, ErrApprovalChanged.
	UseApproval(ctx context.Context, g bridge.Gate, u ApprovalUse) error
	// EndCommand notes how a command ended and, in the same transaction, tells
	// to, the partner, with m. bridge.Sent.Unread counts what waits for the other side.
	EndCommand(ctx context.Context, op bridge.Operation, e End, of bridge.SessionID, m bridge.NewMessage) (bridge.Sent, error)

	// OpenGrant keeps g in place of the conversation's grant, and cancels
	// all that was asked, approved and chosen under that. The error may be
	// bridge.ErrNotFound.
	OpenGrant(ctx context.Context, op bridge.Operation, g Grant) error
	// CloseGrant removes a grant, and cancels as OpenGrant does. The error may
	// be ErrNoGrant.
	CloseGrant(ctx context.Context, op bridge.Operation) error
	// Grants returns all grants, the newest first, expired ones too.
	Grants(ctx context.Context) ([]Grant, error)
	// Commands returns requests, the newest first.
	Commands(ctx context.Context, q Query) ([]Request, error)
	// DecideCommand approves or denies a request that waits to be decided. The
	// error may be ErrNoRequest or ErrDecided.
	DecideCommand(ctx context.Context, op bridge.Operation, d Decision) error
	// RecordOperation records what was done outside of the store.
	RecordOperation(ctx context.Context, op bridge.Operation) error
	// ForgetCommands removes requests that can no longer run and are older than
	// before, and grants that expired before it; with dryRun it only counts them.
	ForgetCommands(ctx context.Context, op bridge.Operation, before time.Time, dryRun bool) (requests, grants int64, err error)
}

// A store knows neither the guard nor the sandbox: it keeps what they make by
// these names, and Mode.
type (
	// Plan is what a command was resolved to.
	Plan = guard.Plan
	// Backend is a sandbox.
	Backend = sandbox.Backend
	// Folder tells one folder from another, whatever its path.
	Folder = sandbox.Identity
)

// State is how far a request has come.
type State string

// The states of a request. One that waits, or is approved, has a time limit.
const (
	StatePending   State = "pending"   // waits for the operator
	StateApproved  State = "approved"  // may run once
	StateDenied    State = "denied"    // the operator said no
	StateConsumed  State = "consumed"  // was started
	StateCancelled State = "cancelled" // its grant was closed or opened again, or another request took its place
)

// Request is one command of one session, with all that was settled about
// how it would run. Command and Plan are what an agent wrote: show them escaped.
type Request struct {
	ID           int64
	Conversation string
	Session      bridge.SessionID
	// Command is exact, to the byte.
	Command string
	// Plan is what the command was resolved to.
	Plan guard.Plan
	Mode guard.Mode
	// Workspace is the real path, Folder the folder that had it.
	Workspace string
	Folder    sandbox.Identity
	// Sandbox is the backend that it runs in; sandbox.None confines nothing.
	Sandbox sandbox.Backend
	Image   string
	Network bool
	Access  Access
	Timeout time.Duration
	Nonce   []byte
	// Digest is over all of the above but the ID.
	Digest []byte

	State     State
	CreatedAt time.Time
	// ExpiresAt ends the time in which it may be approved.
	ExpiresAt time.Time
	DecidedAt time.Time
	// ApprovedUntil ends the time in which the approval may be used.
	ApprovedUntil time.Time
	// TokenHash is set if the approval needs a token.
	TokenHash []byte
	// Seal proves that the operator's side approved it.
	Seal []byte

	UsedAt, EndedAt time.Time
	ExitCode        int64
	// Snapshot is the commit with the state of the workspace before it ran, and
	// SnapshotNumber its number; empty and 0 without one.
	Snapshot       string
	SnapshotNumber int64
}

// Waiting reports whether the operator can still decide.
func (r Request) Waiting(now time.Time) bool {
	return r.State == StatePending && now.Before(r.ExpiresAt)
}

// Usable reports whether the approval can still be used.
func (r Request) Usable(now time.Time) bool {
	return r.State == StateApproved && now.Before(r.ApprovedUntil)
}

// Status is the state in a word, with "expired" for what ran out of time.
func (r Request) Status(now time.Time) string {
	switch {
	case r.State == StatePending && !r.Waiting(now), r.State == StateApproved && !r.Usable(now):
		return "expired"
	case r.State == StateConsumed && r.EndedAt.IsZero():
		return "started"
	case r.State == StateConsumed:
		return "done"
	}
	return string(r.State)
}

// View is what a store knows about a session and a command.
type View struct {
	bridge.Proof
	// Grant is nil without one.
	Grant *Grant
	// Mode is nil before the session has chosen one under the grant.
	Mode *SessionMode
	// Last is the session's newest request for exactly this command, or nil.
	Last *Request
}

// QueueLimits keep an agent from wearing its operator down.
type QueueLimits struct {
	// Pending is how many requests of a conversation may wait.
	Pending int
	// Denied is after how many denials in a row nothing is queued any more,
	// until the operator opens the grant again.
	Denied int
	// DeniedSince is the time since which a denied command stays denied.
	DeniedSince time.Time
}

// ApprovalUse is what an approval must say to be used.
type ApprovalUse struct {
	ID           int64
	Digest, Seal []byte
	// TokenHash is nil for an approval without a token.
	TokenHash []byte
}

// End is how a command ended.
type End struct {
	ID             int64
	ExitCode       int
	Snapshot       string
	SnapshotNumber int
}

// Decision is an operator's word on a request.
type Decision struct {
	ID     int64
	Digest []byte
	// State is StateApproved or StateDenied.
	State State
	// The rest is for approvals.
	ApprovedUntil   time.Time
	TokenHash, Seal []byte
}

// Query says which requests to return.
type Query struct {
	// ID and Conversation restrict them, if not empty.
	ID           int64
	Conversation string
	// State restricts them to one state, if not empty.
	State State
	// Limit is how many to return; 0 means all.
	Limit int
}
