package commands

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

// Store is the part of a Store that holds grants, requests to run commands, and
// approvals (docs/yolo.md). An approval is used at most once, however many processes
// try: UseApproval is a single conditional update, recorded in the same transaction.
type Store interface {
	// PeekCommand returns everything that decides about a session's command. It changes
	// and records nothing.
	PeekCommand(ctx context.Context, conversation string, session bridge.SessionID, command string) (View, error)
	// SetYoloMode stores the mode that g's session chose under its grant. It returns
	// the number of messages that wait for g. The error may be ErrNoGrant.
	SetYoloMode(ctx context.Context, g bridge.Gate, m SessionMode) (unread int64, err error)
	// CheckCommand records a command that is only judged.
	CheckCommand(ctx context.Context, g bridge.Gate) (unread int64, err error)
	// RefuseCommand runs the checks of g and records that the command is refused. It
	// returns nil if that succeeded.
	RefuseCommand(ctx context.Context, g bridge.Gate) error
	// QueueCommand stores r for the operator, replacing pending requests of the same
	// session for the same command. Errors, according to the given limits: ErrNoGrant,
	// ErrQueueFull, ErrDenied and ErrTooManyDenied.
	QueueCommand(ctx context.Context, g bridge.Gate, r Request, l QueueLimits) (id, unread int64, err error)
	// UseApproval uses up the approval if it matches u exactly. Errors: ErrNoGrant,
	// ErrApprovalUsed, ErrApprovalExpired, ErrApprovalChanged.
	UseApproval(ctx context.Context, g bridge.Gate, u ApprovalUse) error
	// EndCommand records how a command ended and, in the same transaction, sends m to
	// the partner to. bridge.Sent.Unread counts what waits for the other side.
	EndCommand(ctx context.Context, op bridge.Operation, e End, of bridge.SessionID, m bridge.NewMessage) (bridge.Sent, error)

	// OpenGrant stores g as the conversation's only grant, and cancels everything that
	// was requested, approved and chosen under the previous one. The error may be
	// bridge.ErrNotFound.
	OpenGrant(ctx context.Context, op bridge.Operation, g Grant) error
	// CloseGrant removes a grant and cancels the same things as OpenGrant. The error
	// may be ErrNoGrant.
	CloseGrant(ctx context.Context, op bridge.Operation) error
	// Grants returns all grants, newest first, including expired ones.
	Grants(ctx context.Context) ([]Grant, error)
	// Commands returns requests, newest first.
	Commands(ctx context.Context, q Query) ([]Request, error)
	// DecideCommand approves or denies a pending request. The error may be ErrNoRequest
	// or ErrDecided.
	DecideCommand(ctx context.Context, op bridge.Operation, d Decision) error
	// RecordOperation records an operation that was done outside the store.
	RecordOperation(ctx context.Context, op bridge.Operation) error
	// ForgetCommands removes requests that can no longer run and are older than
	// before, and grants that expired before it; with dryRun it only counts them.
	ForgetCommands(ctx context.Context, op bridge.Operation, before time.Time, dryRun bool) (requests, grants int64, err error)
}

// The store depends on neither the guard nor the sandbox. It uses these names, and
// Mode, for their types.
type (
	// Plan is the resolved form of a command.
	Plan = guard.Plan
	// Backend is a sandbox.
	Backend = sandbox.Backend
	// Folder identifies a folder independently of its path.
	Folder = sandbox.Identity
)

// State is the state of a request.
type State string

// The states of a request. A pending or approved request has a time limit.
const (
	StatePending   State = "pending"   // waits for the operator
	StateApproved  State = "approved"  // may run once
	StateDenied    State = "denied"    // the operator said no
	StateConsumed  State = "consumed"  // was started
	StateCancelled State = "cancelled" // its grant was closed or replaced, or another request replaced it
)

// Request is one command of one session, together with everything that was determined
// about how it would run. Command and Plan come from an agent: escape them for display.
type Request struct {
	ID           int64
	Conversation string
	Session      bridge.SessionID
	// Command is the exact text, byte for byte.
	Command string
	// Plan is the resolved form of the command.
	Plan guard.Plan
	Mode guard.Mode
	// Workspace is the folder's real path; Folder identifies the folder that was at
	// that path.
	Workspace string
	Folder    sandbox.Identity
	// Sandbox is the backend in which it runs; sandbox.None means no confinement.
	Sandbox sandbox.Backend
	Image   string
	Network bool
	Access  Access
	Timeout time.Duration
	Nonce   []byte
	// Digest covers all of the above except the ID.
	Digest []byte

	State     State
	CreatedAt time.Time
	// ExpiresAt is when the request stops waiting for a decision.
	ExpiresAt time.Time
	DecidedAt time.Time
	// ApprovedUntil is when the approval expires.
	ApprovedUntil time.Time
	// TokenHash is set if the approval can only be used with its token.
	TokenHash []byte
	// Seal proves that the approval was given by the operator's side.
	Seal []byte

	UsedAt, EndedAt time.Time
	ExitCode        int64
	// Snapshot is the commit with the state of the workspace before the command ran,
	// and SnapshotNumber its number. They are empty and 0 if there is none.
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

// Status returns the state in one word, with "expired" for a request or approval whose
// time is over.
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

// View is the state of a session and a command in the store.
type View struct {
	bridge.Proof
	// Grant is nil if there is none.
	Grant *Grant
	// Mode is nil until the session has chosen a mode under the grant.
	Mode *SessionMode
	// Last is the session's newest request for exactly this command, or nil.
	Last *Request
}

// QueueLimits keep an agent from flooding its operator with requests.
type QueueLimits struct {
	// Pending is the maximum number of pending requests in a conversation.
	Pending int
	// Denied is the number of consecutive denials after which nothing more is queued
	// until the operator opens the grant again.
	Denied int
	// DeniedSince is the time since which a denied command is still refused.
	DeniedSince time.Time
}

// ApprovalUse identifies the approval to use.
type ApprovalUse struct {
	ID           int64
	Digest, Seal []byte
	// TokenHash is nil if the approval has no token.
	TokenHash []byte
}

// End is the result of a command.
type End struct {
	ID             int64
	ExitCode       int
	Snapshot       string
	SnapshotNumber int
}

// Decision is an operator's decision about a request.
type Decision struct {
	ID     int64
	Digest []byte
	// State is StateApproved or StateDenied.
	State State
	// The following fields are for approvals only.
	ApprovedUntil   time.Time
	TokenHash, Seal []byte
}

// Query selects the requests to return.
type Query struct {
	// ID and Conversation restrict the result, unless empty.
	ID           int64
	Conversation string
	// State restricts the result to one state, unless empty.
	State State
	// Limit is the maximum number of requests to return; 0 means all.
	Limit int
}
