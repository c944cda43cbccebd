package commands

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"example.org/bridge/internal/bridge"
)

// Limits of requests and approvals.
const (
	// PendingFor is how long a request waits for the operator's decision.
	PendingFor = 15 * time.Minute
	// DefaultApprovalFor is how long an approval can be used by default.
	DefaultApprovalFor = 5 * time.Minute
	MinApprovalFor     = 10 * time.Second
	MaxApprovalFor     = time.Hour
	// MaxPending is the maximum number of pending requests in a conversation.
	MaxPending = 5
	// MaxDenied is the number of consecutive denials after which no more requests of a
	// conversation are accepted.
	MaxDenied = 3
	// DeniedFor is how long a denied command is refused when it is requested again.
	DeniedFor = 10 * time.Minute
)

func queueLimits(now time.Time) QueueLimits {
	return QueueLimits{Pending: MaxPending, Denied: MaxDenied, DeniedSince: now.Add(-DeniedFor)}
}

// Commands returns requests to run commands, newest first.
func (s *Service) Commands(ctx context.Context, q Query) ([]Request, error) {
	return s.store.Commands(ctx, q)
}

// Command returns one request, or ErrNoRequest.
func (s *Service) Command(ctx context.Context, id int64) (Request, error) {
	found, err := s.store.Commands(ctx, Query{ID: id, Limit: 1})
	switch {
	case err != nil:
		return Request{}, err
	case len(found) == 0:
		return Request{}, ErrNoRequest
	}
	return found[0], nil
}

// ApproveRequest is an approval by an operator who has seen and confirmed a request.
type ApproveRequest struct {
	// Request is the request as it was shown.
	Request Request
	// For is how long the approval can be used; zero means DefaultApprovalFor.
	For time.Duration
	// WithToken makes an approval that can only be used with its token. Without a
	// token, the same session can use the approval by repeating its call.
	WithToken bool
	// Where says how the human was asked. It is recorded in the audit log.
	Where string
}

// Approve allows a request to run once. The caller has shown it to a human, who has
// confirmed it. The returned token is empty unless it was asked for; the store keeps
// only its hash. Errors: ErrNoRequest, ErrDecided, ErrNoGrant.
func (s *Service) Approve(ctx context.Context, a ApproveRequest) (r Request, token string, err error) {
	if a.For == 0 {
		a.For = DefaultApprovalFor
	}
	if a.For < MinApprovalFor || a.For > MaxApprovalFor {
		return r, "", bridge.Invalid("the approval's time", "must be %s to %s", MinApprovalFor, MaxApprovalFor)
	}
	r = a.Request
	if !bytes.Equal(s.digest(r), r.Digest) {
		return r, "", fmt.Errorf("%w: its digest does not match, so it was changed in the store", ErrDecided)
	}
	now, err := s.core.StoreTime(ctx)
	if err != nil {
		return r, "", err
	}
	op := s.decision("yolo_approve", r)
	op.Details["where"] = a.Where
	r.State, r.DecidedAt, r.ApprovedUntil = StateApproved, now, now.Add(a.For)
	if a.WithToken {
		token = hex.EncodeToString(random())
		r.TokenHash = s.hashToken(token)
	}
	r.Seal = s.sealApproval(r)
	op.Details["with_token"], op.Details["until"] = a.WithToken, r.ApprovedUntil.Format(time.RFC3339)
	err = s.store.DecideCommand(ctx, op, Decision{
		ID: r.ID, Digest: r.Digest, State: r.State,
		ApprovedUntil: r.ApprovedUntil, TokenHash: r.TokenHash, Seal: r.Seal,
	})
	if err != nil {
		return r, "", err
	}
	return r, token, nil
}

// Deny refuses a request. The session cannot ask for the same command again for
// DeniedFor. where says how the human was asked. Errors are those of Approve.
func (s *Service) Deny(ctx context.Context, r Request, where string) error {
	op := s.decision("yolo_deny", r)
	op.Details["where"] = where
	return s.store.DecideCommand(ctx, op, Decision{ID: r.ID, Digest: r.Digest, State: StateDenied})
}

// decision returns the audited operation of a human who decides about r. A command in
// the store contains no secrets, because a command that does is never queued.
func (s *Service) decision(action string, r Request) bridge.Operation {
	op := s.core.OperatorOperation(action, r.Conversation)
	op.Details["request"], op.Details["command"] = r.ID, r.Command
	return op
}

// ForgetCommands removes requests that can no longer run and are older than olderThan,
// and grants that expired more than olderThan ago. Entries in the audit log are kept.
// With dryRun it only counts them.
func (s *Service) ForgetCommands(ctx context.Context, olderThan time.Duration, dryRun bool) (requests, grants int64, err error) {
	op := s.core.OperatorOperation("yolo_cleanup", "")
	return s.store.ForgetCommands(ctx, op, op.Now.Add(-olderThan), dryRun)
}

// ForgetSnapshots removes snapshots of workspaces that are older than olderThan, and
// further ones while their total size is above the limit. A dry run counts only the old
// ones.
func (s *Service) ForgetSnapshots(ctx context.Context, olderThan time.Duration, dryRun bool) (int, error) {
	tidied, err := s.snapshots.Prune(olderThan, dryRun)
	if err != nil || tidied.Snapshots == 0 || dryRun {
		return tidied.Snapshots, err
	}
	op := s.core.OperatorOperation("yolo_cleanup_snapshots", "")
	op.Details["snapshots"], op.Details["bytes"] = tidied.Snapshots, tidied.Bytes
	return tidied.Snapshots, s.store.RecordOperation(ctx, op)
}
