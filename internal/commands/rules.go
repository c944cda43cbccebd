package commands

import (
	"bytes"
	"cmp"
	"crypto/subtle"
	"fmt"
	"time"

	"example.org/bridge/internal/bridge"
)

// refusal returns a refusal by one of the rules below.
func refusal(reason error) error {
	return &bridge.Refusal{Reason: reason, Outcome: bridge.OutcomeRefused}
}

// Opening is the store's state of a conversation's grant; zero if it has none.
type Opening struct{ OpenedAt, ExpiresAt time.Time }

// Admit returns an error if there is no valid grant at the store's time now.
func (o Opening) Admit(now time.Time) error {
	if now.Before(o.ExpiresAt) {
		return nil
	}
	return refusal(ErrNoGrant)
}

// AdmitGrant refuses a grant for a conversation that does not exist (the zero
// Conversation) or has expired. The error is bridge.ErrNotFound.
func AdmitGrant(c bridge.Conversation, now time.Time) error {
	if c.Expired(now) {
		return bridge.ErrNotFound
	}
	return nil
}

// VoidWithGrant returns the states of requests that are cancelled when their grant is
// closed or replaced, which are those that could still run.
func VoidWithGrant() []State { return []State{StatePending, StateApproved} }

// Over reports whether the request can no longer run and is not running.
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

// Asked is an earlier request of a conversation, with the fields that affect the next
// one.
type Asked struct {
	ID        int64
	Session   bridge.SessionID
	Command   string
	State     State
	DecidedAt time.Time
	ExpiresAt time.Time
}

// QueueScene holds the facts that decide whether a request is queued for the operator.
type QueueScene struct {
	Now     time.Time // store's time
	Opening Opening
	// Asked are the conversation's requests.
	Asked []Asked
}

// Admit refuses requests that would put pressure on the operator: one for a command
// that was denied recently, one after several denials in a row, and one beyond the
// limit of pending requests.
func (s QueueScene) Admit(r Request, l QueueLimits) error {
	if err := s.Opening.Admit(s.Now); err != nil {
		return err
	}
	sameApproval, anyApproval := s.lastApproval(r.Command)
	same, denied, pending := 0, 0, 0
	for _, a := range s.Asked {
		switch {
		case a.State == StatePending && s.Now.Before(a.ExpiresAt) && (a.Session != r.Session || a.Command != r.Command):
			pending++
		case a.State != StateDenied:
		default:
			if a.Command == r.Command && a.DecidedAt.After(l.DeniedSince) && a.DecidedAt.After(sameApproval) {
				same++
			}
			if !a.DecidedAt.Before(s.Opening.OpenedAt) && a.DecidedAt.After(anyApproval) {
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

// Replaces returns the IDs of the requests that r replaces: pending requests of the
// same session for the same command.
func (s QueueScene) Replaces(r Request) (ids []int64) {
	for _, a := range s.Asked {
		if a.State == StatePending && a.Session == r.Session && a.Command == r.Command {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// lastApproval returns when the operator last approved this command, and when any command.
func (s QueueScene) lastApproval(command string) (same, latest time.Time) {
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

// ApprovalScene holds the facts that decide whether an approval can be used.
type ApprovalScene struct {
	Now     time.Time // store's time
	Opening Opening
	// Request is the request as stored; zero if it is unknown.
	Request Request
}

// Admit returns an error if an approval cannot be used. An approval for something else
// becomes void, so that the command can be requested again.
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

// Decide refuses a decision about a request that is not waiting for one. A denial also
// withdraws an unused approval. An approval needs a valid grant.
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

// Waits returns ErrDecided for a request that the operator can no longer decide. It
// gives the reason if neither the operator nor the agent caused it: the store has been
// updated since.
func (r Request) Waits(now time.Time) error {
	switch {
	case r.Waiting(now):
		return nil
	case r.State == StateCancelled && r.unkeyed():
		return fmt.Errorf("%w: an older version of bridge made it, and updating the store ended it; restart the client of session %s, which may still run that version, and let the agent call again", ErrDecided, r.Session)
	}
	return ErrDecided
}

// unkeyed reports whether the request was made by a program that did not key digests.
// Updating the store replaces such digests by zeros, which never match.
func (r Request) unkeyed() bool {
	return len(r.Digest) > 0 && len(bytes.Trim(r.Digest, "\x00")) == 0
}
