package bridge

import (
	"context"
	"errors"
	"time"
)

// ErrPaused reports that the operator has paused the conversation: calls that
// read still work, and calls that change something are refused.
var ErrPaused = errors.New("the operator has paused this conversation")

// ErrAllPaused reports that the operator has paused all conversations, so that none
// can be created.
var ErrAllPaused = errors.New("the operator has paused all conversations, and none can be created")

// SteeringStore is the part of a Store with which the operator intervenes in
// conversations.
type SteeringStore interface {
	// Say keeps m as a message from the operator for the sessions that rule
	// returns. It is kept once, but in a conversation of two, once for each of
	// them. The error may be ErrNotFound.
	Say(ctx context.Context, op Operation, m NewMessage, rule SayRule) ([]Sent, error)
	// Pause pauses the conversation of op, or all conversations if that is empty,
	// and Resume ends the pause. Both report whether this changed anything. Without
	// a conversation, Resume ends every pause. The error may be ErrNotFound.
	Pause(ctx context.Context, op Operation) (changed bool, err error)
	Resume(ctx context.Context, op Operation) (changed bool, err error)
	// Pauses returns the paused conversations with the time since when they are;
	// "" stands for all conversations.
	Pauses(ctx context.Context) (map[string]time.Time, error)
	// Search returns the messages that match q, newest first, within the limits of q.
	Search(ctx context.Context, q SearchQuery) (SearchResult, error)
	// CountCalls counts the entries of the audit log since a time, by action and
	// outcome.
	CountCalls(ctx context.Context, since time.Time) ([]CallCount, error)
	// CountMessages counts the messages since a time by sender, and the kinds
	// of secrets that were hidden in them.
	CountMessages(ctx context.Context, since time.Time) (MessageCount, error)
}

// Pause refuses, from now on, everything that changes something in a conversation. If the
// ID is empty, it does so in all conversations, and no new one can be created. It returns
// false if the conversation was paused already. The error may be ErrNotFound.
func (s *Service) Pause(ctx context.Context, conversation string) (changed bool, err error) {
	return s.store.Pause(ctx, s.OperatorOperation("pause", conversation))
}

// Resume ends the pause of a conversation. If the ID is empty, it ends all
// pauses.
func (s *Service) Resume(ctx context.Context, conversation string) (changed bool, err error) {
	return s.store.Resume(ctx, s.OperatorOperation("resume", conversation))
}

// Pauses maps paused conversations to the start of the pause; "" stands for all
// conversations.
type Pauses map[string]time.Time

// Of returns since when a conversation is paused; the zero time if it is not.
func (p Pauses) Of(conversation string) time.Time {
	if since, ok := p[conversation]; ok {
		return since
	}
	return p[""]
}

// Pauses returns what is paused.
func (s *Service) Pauses(ctx context.Context) (Pauses, error) { return s.store.Pauses(ctx) }

// CallCount is how often calls of an action had one outcome.
type CallCount struct {
	Action, Outcome string
	Count           int64
}

// MessageCount is the number of messages by sender, and the number in which
// each kind of secret was hidden.
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
