// Package steps keeps the log of what the agents of a conversation do: one line a step,
// for their human and their partners to follow. A step wakes nobody, is in nobody's inbox
// and is never a message; it is redacted before it is kept.
package steps

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
)

// Limits of steps.
const (
	MaxText = 2000 // characters
	// Kept is how many steps are kept of a conversation; the oldest go first.
	Kept = 2000
)

// ErrNoTask reports that a step is for a task that is not an open one of the conversation.
var ErrNoTask = errors.New("a step is for an open task of its conversation")

// Step is one line of the log of a conversation.
type Step struct {
	Conversation string
	// Number counts the steps of the conversation from 1, without gaps.
	Number  int64
	Session bridge.SessionID
	// Task is the task that it is about; 0 for none.
	Task int64
	At   time.Time
	// Text is one line. An agent wrote it: untrusted.
	Text string
	// Redacted names the kinds of secrets that were hidden in it.
	Redacted []string
}

// Query says which steps of a conversation are wanted.
type Query struct {
	Conversation string
	// Task restricts them to those of one task; 0 means all.
	Task int64
	// After restricts them to those with a higher number.
	After int64
	// Limit is how many to return at most, from 1. Last returns the last ones rather than
	// the first; both come in the order of their numbers.
	Limit int
	Last  bool
}

// Logged is what a session learns of a step that it logged.
type Logged struct {
	Step
	Unread int64
}

// Store is the part of a store that keeps steps.
type Store interface {
	// LogStep passes g, and keeps what rule makes of the end of the log.
	LogStep(ctx context.Context, g bridge.Gate, task int64, rule Rule) (Logged, error)
	// Steps returns steps of a conversation, in order. It records nothing.
	Steps(ctx context.Context, q Query) ([]Step, error)
}

// Service is the steps of one store. It is safe for concurrent use.
type Service struct {
	core  *bridge.Service
	store Store
}

// New returns a service. Gates and redaction are those of core, which must be on the
// same store.
func New(core *bridge.Service, store Store) *Service { return &Service{core, store} }
