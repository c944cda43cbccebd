// Package claims manages who works on which files: leases on paths that the agents
// of a team take before they edit. Claims are advisory: nothing in this package
// prevents access to a file.
//
// Whether a path is free is decided by a pure rule (rules.go) on a Scene, which a
// Store loads and whose Outcome it keeps, in one transaction. Package bridge
// authenticates sessions, charges limits and hides secrets.
package claims

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/relpath"
)

// Limits of claims.
const (
	MaxPaths       = 20 // in one call
	MaxPathLength  = relpath.MaxLength
	MaxReason      = 200 // characters
	MaxHeld        = 50  // of one session
	DefaultSeconds = 60  // of a lease
	MinSeconds     = 10  // signs of life are recorded no more often than this
	MaxSeconds     = 3600
)

// ErrNotHeld is the single error for releasing a path that nobody has claimed
// and one that another session has claimed.
var ErrNotHeld = errors.New("you have no such claim")

// ErrHeld reports that another session has claimed a path. It is returned as a
// *HeldError.
var ErrHeld = errors.New("another session has claimed it")

// ErrTooMany reports that the session already has MaxHeld claims.
var ErrTooMany = errors.New("you have 50 claims, which is the limit")

// ErrNoTask reports a claim for a task that is not the caller's.
var ErrNoTask = errors.New("you have no such open task")

// ErrNoClaim reports to an operator that a claim does not exist.
var ErrNoClaim = errors.New("no such claim")

// HeldError is an ErrHeld that includes the holder and the remaining time. Its
// fields may be shown to the caller, who is in the same team.
type HeldError struct {
	// Path is the part of the request that is not free. Claimed is the other
	// session's claim. Both were written by agents.
	Path, Claimed string
	Conversation  string
	Session       bridge.SessionID
	Role, Reason  string
	// Left is how long the lease lasts if its holder shows no further sign of
	// life.
	Left time.Duration
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is claimed by session %s of %s for another %d seconds, or longer if it keeps working",
		shown(e.Path), e.Session, e.Conversation, max(1, int(e.Left.Seconds())))
}

// Is makes a HeldError match ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

// shown returns a path for use in a sentence: on one line and shortened.
func shown(path string) string {
	const longest = 120
	runes := []rune(cleantext.CleanLine(path))
	if len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return string(runes)
}

// Claim is a session's lease on a path.
type Claim struct {
	ID           int64
	TeamID       string
	Conversation string
	Session      bridge.SessionID
	// Role is the holder's role. Path and Reason were written by the holder,
	// and are untrusted like the role.
	Role, Path, Reason string
	// Shared claims of a path can coexist; any other claim excludes all others.
	Shared bool
	// Task is the task that the claim is for; 0 for none.
	Task int64
	// Lease is how long the claim outlasts its holder's last sign of life.
	Lease time.Duration
	// TakenAt is when the claim was last taken, and SeenAt is the holder's last
	// sign of life.
	TakenAt, SeenAt time.Time
	// ExpiresAt is when its conversation expires.
	ExpiresAt time.Time
	// HasTask reports that the claim is for no task, or for an open task of its
	// holder.
	HasTask bool
}

// over reports whether the conversation has expired, or the task has ended or was
// reassigned. Then no sign of life keeps the claim.
func (c Claim) over(now time.Time) bool {
	expired := bridge.Conversation{ExpiresAt: c.ExpiresAt}.Expired(now)
	return expired || c.Task != 0 && !c.HasTask
}

// Left returns how long the lease lasts if its holder shows no further sign of
// life; 0 or less if it has ended. A sign of life too far in the future does not
// count, because the clock was set back since.
func (c Claim) Left(now time.Time) time.Duration {
	from := c.TakenAt
	if c.SeenAt.After(from) {
		from = c.SeenAt
	}
	left := from.Add(c.Lease).Sub(now)
	if c.over(now) || left > 2*c.Lease {
		return 0
	}
	return left
}

// Held reports whether the claim is still in force.
func (c Claim) Held(now time.Time) bool { return c.Left(now) > 0 }

// Store is the part of a store that keeps claims.
type Store interface {
	// ChangeClaims keeps the outcome of rule for the claims of g's team, in one
	// transaction, and removes claims that are no longer in force. It returns the
	// outcome and the number of messages waiting for g.
	ChangeClaims(ctx context.Context, g bridge.Gate, task int64, rule Rule) (Result, error)
	// Claims returns the claims of all teams at a time, including those that are no
	// longer in force, ordered by ID. It records nothing.
	Claims(ctx context.Context, now time.Time) ([]Claim, error)
	// RemoveClaim records op and removes a claim. The error may be ErrNoClaim.
	RemoveClaim(ctx context.Context, op bridge.Operation, id int64) error
}

// Service manages the claims of one store. It is safe for concurrent use, and
// keeps nothing in memory that another process would need.
type Service struct {
	core  *bridge.Service
	store Store
}

// New returns a service that authenticates and redacts through core, which must
// use the same store.
func New(core *bridge.Service, store Store) *Service { return &Service{core, store} }

// Held returns the claims of all teams that are in force, for the operator.
func (s *Service) Held(ctx context.Context) (held []Claim, now time.Time, err error) {
	if now, err = s.core.StoreTime(ctx); err != nil {
		return nil, now, err
	}
	all, err := s.store.Claims(ctx, now)
	for _, c := range all {
		if c.Held(now) {
			held = append(held, c)
		}
	}
	return held, now, err
}

// Remove ends a claim, for the operator.
func (s *Service) Remove(ctx context.Context, c Claim) error {
	op := s.core.OperatorOperation("release_claim", c.Conversation)
	op.Details["claim_id"] = c.ID
	err := s.store.RemoveClaim(ctx, op, c.ID)
	if err == nil {
		s.core.Ring(c.Conversation, bridge.Work)
	}
	return err
}
