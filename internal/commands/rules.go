package commands

import (
	"bytes"
	"cmp"
	"crypto/subtle"
	"fmt"
	"time"

	"example.org/bridge/internal/bridge"
)

// refusal is a refusal by one of the rules below.
func refusal(reason error) error {
	return &bridge.Refusal{Reason: reason, Outcome: bridge.OutcomeRefused}
}

// Opening is what a store knows of the grant of a conversation; zero without one.
type Opening struct{ OpenedAt, ExpiresAt time.Time }

// Admit refuses what needs a grant where none stands at the store's time now.
func (o Opening) Admit(now time.Time) error {
	if now.Before(o.ExpiresAt) {
		return nil
	}
	return refusal(ErrNoGrant)
}

// AdmitGrant refuses a grant for a conversation that is not there (the zero
// Conversation) or has expired. The error is bridge.ErrNotFound.
func AdmitGrant(c bridge.Conversation, now time.Time) error {
	if c.Expired(now) {
		return bridge.ErrNotFound
	}
	return nil
}

// VoidWithGrant are the states of requests that are cancelled when their grant is
// closed or another is opened: those that could still run.
func VoidWithGrant() []State { return []State{StatePending, StateApproved} }

// Over reports whether the request can no longer run, and is not running.
func (r Request) Over(now time.Time) bool {
	switch r.State {
	case StatePending:
		return !r.Waiting(now)
	case StateApproved:
		return !r.Usable(now)
	case StateConsumed:
		return !r.EndedAt.IsZero()
	}
	return true
}

// Asked is a request of a conversation, as far as it decides about the next one.
type Asked struct {
	ID        int64
	Session   bridge.SessionID
	Command   string
	State     State
	DecidedAt time.Time
	ExpiresAt time.Time
}

// QueueScene is what decides whether a request is put before the operator.
type QueueScene struct {
	Now     time.Time // the store's
	Opening Opening
	// Asked are the requests of the conversation.
	Asked []Asked
}

// Admit refuses a request that would wear the operator down: one for a command
// that was denied just now, after several denials in a row, and one too many.
func (s QueueScene) Admit(r Request, l QueueLimits) error {
	if err := s.Opening.Admit(s.Now); err != nil {
		return err
	}
	sameLeave, anyLeave := s.lastLeave(r.Command)
	same, denied, pending := 0, 0, 0
	for _, a := range s.Asked {
		switch {
		case a.State == StatePending && s.Now.Before(a.ExpiresAt) && (a.Session != r.Session || a.Command != r.Command):
			pending++
		case a.State != StateDenied:
		default:
			if a.Command == r.Command && a.DecidedAt.After(l.DeniedSince) && a.DecidedAt.After(sameLeave) {
				same++
			}
			if !a.DecidedAt.Before(s.Opening.OpenedAt) && a.DecidedAt.After(anyLeave) {
				denied++
			}
		}
	}
	switch {
	case same > 0:
		return refusal(ErrDenied)
	case denied >= l.Denied:
		return refusal(ErrTooManyDenied)
	case pending >= l.Pending:
		return refusal(ErrQueueFull)
	}
	return nil
}

// Replaces are the numbers of the requests in whose place r comes: its session asked
// for the same command, and the operator has not decided.
func (s QueueScene) Replaces(r Request) (ids []int64) {
	for _, a := range s.Asked {
		if a.State == StatePending && a.Session == r.Session && a.Command == r.Command {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// lastLeave returns when the operator last approved a command, and any command.
func (s QueueScene) lastLeave(command string) (same, latest time.Time) {
	for _, a := range s.Asked {
		if a.State != StateApproved && a.State != StateConsumed {
			continue
		}
		if a.DecidedAt.After(latest) {
			latest = a.DecidedAt
		}
		if a.Command == command && a.DecidedAt.After(same) {
			same = a.DecidedAt
		}
	}
	return same, latest
}

// ApprovalScene is what decides whether an approval can be used.
type ApprovalScene struct {
	Now     time.Time // the store's
	Opening Opening
	// Request is as the store has it; zero for an unknown one.
	Request Request
}

// Admit refuses an approval that cannot be used, and says why. One that is for
// something else is void from then on, so that it can be asked for again.
func (s ApprovalScene) Admit(u ApprovalUse) (void bool, err error) {
	if err := s.Opening.Admit(s.Now); err != nil {
		return false, err
	}
	r := s.Request
	switch r.State {
	case StateConsumed:
		return false, refusal(ErrApprovalUsed)
	case StateDenied:
		return false, refusal(ErrDenied)
	case StateApproved:
	default:
		return false, refusal(ErrApprovalChanged)
	}
	switch {
	case !r.Usable(s.Now):
		return false, refusal(ErrApprovalExpired)
	case subtle.ConstantTimeCompare(r.TokenHash, u.TokenHash) == 0:
		return false, refusal(ErrApprovalChanged)
	case !bytes.Equal(r.Digest, u.Digest) || !bytes.Equal(r.Seal, u.Seal):
		return true, refusal(ErrApprovalChanged)
	}
	return false, nil
}

// Decide refuses a decision about a request that no longer waits for it. A denial
// takes an unused approval back; an approval needs a grant that stands.
func (s ApprovalScene) Decide(d Decision) error {
	r := s.Request
	switch {
	case r.ID == 0:
		return ErrNoRequest
	case !bytes.Equal(r.Digest, d.Digest):
		return refusal(ErrDecided)
	case d.State == StateDenied && (r.Waiting(s.Now) || r.State == StateApproved):
		return nil
	case d.State == StateApproved && r.Waiting(s.Now) && s.Opening.Admit(s.Now) == nil:
		return nil
	}
	return refusal(cmp.Or(r.Waits(s.Now), ErrDecided))
}

// Waits reports, as ErrDecided, a request that the operator can decide no longer, and why
// where that is not what they or the agent did: the store was updated since.
func (r Request) Waits(now time.Time) error {
	switch {
	case r.Waiting(now):
		return nil
	case r.State == StateCancelled && r.unkeyed():
		return fmt.Errorf("%w: it was made by a bridge older than this one, and ended when the store was updated; restart the client of session %s, which may run that still, and let the agent call again", ErrDecided, r.Session)
	}
	return ErrDecided
}

// unkeyed reports a request of a program that did not key digests. What updates a store
// leaves zeros in their place, which fit nothing.
func (r Request) unkeyed() bool {
	return len(r.Digest) > 0 && len(bytes.Trim(r.Digest, "\x00")) == 0
}
