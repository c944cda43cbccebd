package bridge

import (
	"context"
	"errors"
	"time"
)

// ErrPaused reports that the operator has paused the conversation: reading goes
// on, and what changes something is refused.
var ErrPaused = errors.New("the operator has paused this conversation")

// ErrAllPaused reports that the operator has paused all conversations: none begins.
var ErrAllPaused = errors.New("the operator has paused all conversations, and no new one begins")

// SteeringStore is the part of a Store with which the operator takes part.
type SteeringStore interface {
	// Say keeps m as the operator's for those whom rule names: once, but in a
	// conversation of two once for each. The error may be ErrNotFound.
	Say(ctx context.Context, op Operation, m NewMessage, rule SayRule) ([]Sent, error)
	// Pause pauses the conversation of op, or all conversations where that is empty,
	// and Resume ends it; both report whether that changed anything. Without a
	// conversation, Resume ends every pause. The error may be ErrNotFound.
	Pause(ctx context.Context, op Operation) (changed bool, err error)
	Resume(ctx context.Context, op Operation) (changed bool, err error)
	// Pauses returns the conversations that are paused, and since when; "" stands
	// for all of them.
	Pauses(ctx context.Context) (map[string]time.Time, error)
	// Search returns the messages that hold every term of q, the newest first, as far as
	// q lets it look.
	Search(ctx context.Context, q SearchQuery) (SearchResult, error)
	// CountCalls counts the entries of the audit log since a time, by action and
	// outcome.
	CountCalls(ctx context.Context, since time.Time) ([]CallCount, error)
	// CountMessages counts the messages since a time, by their sender, and the
	// kinds of secrets that were hidden in them.
	CountMessages(ctx context.Context, since time.Time) (MessageCount, error)
}

// Pause refuses, from now on, whatever changes something in a conversation, or in
// all of them where the id is empty; then none begins, either. It reports false where that was so already.
// The error may be ErrNotFound.
func (s *Service) Pause(ctx context.Context, conversation string) (changed bool, err error) {
	return s.store.Pause(ctx, s.OperatorOperation("pause", conversation))
}

// Resume ends the pause of a conversation. Without one it ends all pauses.
func (s *Service) Resume(ctx context.Context, conversation string) (changed bool, err error) {
	return s.store.Resume(ctx, s.OperatorOperation("resume", conversation))
}

// Pauses are the pauses of a store, by conversation; "" is the one of all.
type Pauses map[string]time.Time

// Of returns since when a conversation is paused; the zero time where it is not.
func (p Pauses) Of(conversation string) time.Time {
	if since, ok := p[conversation]; ok {
		return since
	}
	return p[""]
}

// Pauses returns what is paused.
func (s *Service) Pauses(ctx context.Context) (Pauses, error) { return s.store.Pauses(ctx) }

// CallCount is how often calls of an action ended in one way.
type CallCount struct {
	Action, Outcome string
	Count           int64
}

// MessageCount is how many messages there are, by sender, and how many hid each
// kind of secret.
type MessageCount struct {
	BySender, ByKind map[string]int64
}

// Calls counts the calls since a time, by action and outcome.
func (s *Service) Calls(ctx context.Context, since time.Time) ([]CallCount, error) {
	return s.store.CountCalls(ctx, since)
}

// CountMessages counts the messages since a time.
func (s *Service) CountMessages(ctx context.Context, since time.Time) (MessageCount, error) {
	return s.store.CountMessages(ctx, since)
}
