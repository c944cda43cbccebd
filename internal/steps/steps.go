// Package steps keeps the log of what the agents of a conversation do: one line per step,
// for their human and their partners to follow. A step is not a message: it wakes nobody
// and appears in no inbox. It is redacted before it is stored.
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
	// Kept is the number of steps kept per conversation. The oldest are removed
	// first.
	Kept = 2000
)

// ErrNoTask reports a step for a task that is not an open task of the conversation.
var ErrNoTask = errors.New("the conversation has no such open task")

// Step is one line of the log of a conversation.
type Step struct {
	Conversation string
	// Number counts the steps of the conversation from 1, without gaps.
	Number  int64
	Session bridge.SessionID
	// Task is the task that the step is about; 0 for none.
	Task int64
	At   time.Time
	// Text is a single line. It was written by an agent and is untrusted.
	Text string
	// Redacted names the kinds of secrets that were hidden in the text.
	Redacted []string
}

// Query selects steps of a conversation.
type Query struct {
	Conversation string
	// Task restricts them to one task; 0 means all.
	Task int64
	// After restricts them to steps with a higher number.
	After int64
	// Limit is the maximum number of steps, at least 1. Last selects the last ones
	// instead of the first. In both cases they are ordered by number.
	Limit int
	Last  bool
}

// Logged is the result of LogStep.
type Logged struct {
	Step
	Unread int64
}

// Store is the part of a store that keeps steps.
type Store interface {
	// LogStep passes g, and keeps the outcome of rule for the end of the log.
	LogStep(ctx context.Context, g bridge.Gate, task int64, rule Rule) (Logged, error)
	// Steps returns steps of a conversation, in order. It records nothing.
	Steps(ctx context.Context, q Query) ([]Step, error)
}

// Service manages the steps of one store. It is safe for concurrent use.
type Service struct {
	core  *bridge.Service
	store Store
}

// New returns a service that authenticates and redacts through core, which must use
// the same store.
func New(core *bridge.Service, store Store) *Service { return &Service{core, store} }
