// Package claims says who works on which files: leases on paths, which the agents
// of one team take before they edit. Claims are advice between agents, and no
// barrier: nothing here opens a file.
//
// Whether a path is free is a pure rule (rules.go) on a Scene, which a Store loads
// and whose Outcome it keeps, in one transaction. Sessions are proved, limits
// charged and secrets hidden by package bridge.
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
	MinSeconds     = 10  // signs of life are noted no more often than this
	MaxSeconds     = 3600
)

// ErrNotHeld is the one answer to the release of a path that nobody has claimed
// and of one that another session has.
var ErrNotHeld = errors.New("you have no such claim")

// ErrHeld reports that another session has claimed a path. It comes as a HeldError.
var ErrHeld = errors.New("another session has claimed it")

// ErrTooMany reports a session that has MaxHeld claims.
var ErrTooMany = errors.New("you have 50 claims, which is the most")

// ErrNoTask reports that a claim is for a task that the caller does not have.
var ErrNoTask = errors.New("you have no such open task")

// ErrNoClaim reports, to an operator, that a claim does not exist.
var ErrNoClaim = errors.New("no such claim")

// HeldError is an ErrHeld that says by whom, and for how long still. Its fields
// are for the caller, who is of the same team.
type HeldError struct {
	// Path is the part of the request that is not free, Claimed what the other
	// session has. Both are what agents wrote.
	Path, Claimed string
	Conversation  string
	Session       bridge.SessionID
	Role, Reason  string
	// Left is how long the lease lasts if its holder falls silent now.
	Left time.Duration
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is claimed by session %s of %s for %d seconds more, and longer if it goes on working",
		shown(e.Path), e.Session, e.Conversation, max(1, int(e.Left.Seconds())))
}

// Is makes it an ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

// shown is a path in a sentence: on one line, and not too long.
func shown(path string) string {
	const longest = 120
	runes := []rune(cleantext.CleanLine(path))
	if len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return string(runes)
}

// Claim is a lease of a session on a path.
type Claim struct {
	ID           int64
	TeamID       string
	Conversation string
	Session      bridge.SessionID
	// Role is the holder's, Path and Reason what it wrote: untrusted.
	Role, Path, Reason string
	// Shared claims of a path stand beside each other; any other stands alone.
	Shared bool
	// Task is the task that it is for; 0 for none.
	Task int64
	// Lease is how long it outlasts the last sign of life of its holder.
	Lease time.Duration
	// TakenAt is when it was taken, or taken again, and SeenAt the holder's last
	// sign of life.
	TakenAt, SeenAt time.Time
	// ExpiresAt is when its conversation expires.
	ExpiresAt time.Time
	// HasTask reports that its task, if it is for one, is an open one of its holder.
	HasTask bool
}

// over reports that the conversation has expired, or that the task has ended or went to
// somebody else: no sign of life keeps the claim then.
func (c Claim) over(now time.Time) bool {
	expired := bridge.Conversation{ExpiresAt: c.ExpiresAt}.Expired(now)
	return expired || c.Task != 0 && !c.HasTask
}

// Left is how long the lease lasts if its holder falls silent now; 0 or less once
// it has run out. A sign of life from too far in the future was given before the
// clock was set back, and does not count.
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

// Held reports whether the claim still stands.
func (c Claim) Held(now time.Time) bool { return c.Left(now) > 0 }

// Store is the part of a store that keeps claims.
type Store interface {
	// ChangeClaims keeps what rule makes of the claims of g's team, in one
	// transaction. Claims that no longer stand are removed with it. The answer says
	// what it decided, and how many messages wait for g.
	ChangeClaims(ctx context.Context, g bridge.Gate, task int64, rule Rule) (Result, error)
	// Claims returns the claims of all teams, as of a time and those that no longer
	// stand among them, in order of ID. It records nothing.
	Claims(ctx context.Context, now time.Time) ([]Claim, error)
	// RemoveClaim records op and removes a claim. The error may be ErrNoClaim.
	RemoveClaim(ctx context.Context, op bridge.Operation, id int64) error
}

// Service is the claims of one store. It is safe for concurrent use and keeps
// nothing in memory that another process would need.
type Service struct {
	core  *bridge.Service
	store Store
}

// New returns a service. Gates and redaction are those of core, which must be on
// the same store.
func New(core *bridge.Service, store Store) *Service { return &Service{core, store} }

// Held returns the claims that stand, of all teams, for the operator.
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
