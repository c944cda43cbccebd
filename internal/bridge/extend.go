package bridge

import (
	"context"
	"time"

	"example.org/bridge/internal/auth"
)

// DefaultExtension is how long an extended conversation lives from now on by
// default.
const DefaultExtension = DefaultTTL

// ExpiresSoon is how long before its end the sessions of a conversation are
// warned: in every answer, and once by their client's hooks.
const ExpiresSoon = 15 * time.Minute

// ExpiredError refuses a call that would change an expired conversation. Only a
// caller that has proved to be one of its sessions gets it. It matches
// ErrExpired.
type ExpiredError struct {
	// At is when the conversation expired. Its sessions may read it until
	// ReadUntil.
	At, ReadUntil time.Time
}

func (e *ExpiredError) Error() string {
	const layout = "2006-01-02T15:04:05Z07:00"
	return "the conversation expired at " + e.At.Format(layout) + " and accepts nothing new; it can still be read until " + e.ReadUntil.Format(layout)
}

func (e *ExpiredError) Unwrap() error { return ErrExpired }

// Extended is the result of Extend.
type Extended struct {
	ExpiresAt time.Time
	// JoinCode is a new code, valid until JoinExpiresAt, if nobody has joined as
	// session "b" yet. It replaces the previous code. Otherwise it is empty.
	JoinCode      string
	JoinExpiresAt time.Time
	// Unread counts the messages waiting for the caller; it is 0 for the
	// operator.
	Unread int64
}

// Extension is what a store keeps of an extended conversation.
type Extension struct {
	ExpiresAt  time.Time
	ExpirySeal []byte
	// JoinHash and JoinExpiresAt belong to a new join code for session "b". If
	// JoinHash is nil, the code stays as it is.
	JoinHash      []byte
	JoinExpiresAt time.Time
}

// An ExtendRule returns the changes to a conversation that is extended at the
// store's time now. It is pure.
type ExtendRule func(o Overview, now time.Time) Extension

// Extend sets the remaining lifetime of the caller's conversation to d, which is at most
// MaxTTL; zero means DefaultExtension. It never shortens the lifetime. Any session may call
// it, except while the conversation is paused; then only the operator may extend it.
func (s *Service) Extend(ctx context.Context, c Credentials, d time.Duration) (Extended, error) {
	g := s.ReadGate(ctx, c, "extend_conversation")
	g.Changes = true
	d, err := extension(d)
	if err != nil {
		return Extended{}, s.Refuse(ctx, g, err)
	}
	var e Extended
	rule := s.extendRule(d, g.Session == SessionA, g.Details, &e)
	e.Unread, err = s.store.ExtendConversation(ctx, g, rule)
	if err != nil {
		return Extended{}, err
	}
	return e, nil
}

// ExtendByOperator is Extend for the operator, who may also revive an expired
// conversation. An end that was tampered with (ErrExpiryMoved) is replaced, even
// by an earlier one. The error may be ErrNotFound.
func (s *Service) ExtendByOperator(ctx context.Context, conversation string, d time.Duration) (Extended, error) {
	return s.extendByOperator(ctx, conversation, d, true)
}

// ExtendWithoutCode is ExtendByOperator for callers that must not get a join code. An
// existing code stays as it is, even if it is no longer valid.
func (s *Service) ExtendWithoutCode(ctx context.Context, conversation string, d time.Duration) (Extended, error) {
	return s.extendByOperator(ctx, conversation, d, false)
}

func (s *Service) extendByOperator(ctx context.Context, conversation string, d time.Duration, invites bool) (Extended, error) {
	op := s.OperatorOperation("extend_conversation", conversation)
	d, err := extension(d)
	if err != nil {
		return Extended{}, s.refuseOperation(ctx, op, err)
	}
	var e Extended
	if err := s.store.ExtendByOperator(ctx, op, s.extendRule(d, invites, op.Details, &e)); err != nil {
		return Extended{}, err
	}
	return e, nil
}

func extension(d time.Duration) (time.Duration, error) {
	switch {
	case d == 0:
		return DefaultExtension, nil
	case d < MinTTL || d > MaxTTL:
		return d, Invalid("minutes", "must be %d to %d", int(MinTTL.Minutes()), int(MaxTTL.Minutes()))
	}
	return d, nil
}

// extendRule also sets the answer. If invites is set and nobody has joined as
// session "b", a new join code is made for it.
func (s *Service) extendRule(d time.Duration, invites bool, details Details, answer *Extended) ExtendRule {
	code := auth.NewJoinCode()
	return func(o Overview, now time.Time) Extension {
		e := Extension{ExpiresAt: now.Add(d)}
		if e.ExpiresAt.Before(o.ExpiresAt) && s.ends.Genuine(o.ID, o.ExpiresAt, o.ExpirySeal) {
			e.ExpiresAt = o.ExpiresAt
		}
		e.ExpirySeal = s.ends.Seal(o.ID, e.ExpiresAt)
		*answer = Extended{ExpiresAt: e.ExpiresAt}
		details["expires_at"] = e.ExpiresAt.Format(time.RFC3339)
		if b, _ := o.Sessions.Of(SessionB); invites && b.JoinedAt.IsZero() && !b.Joined() {
			e.JoinHash, e.JoinExpiresAt = s.codes.Hash(code), Earlier(now.Add(JoinCodeTTL), e.ExpiresAt)
			answer.JoinCode, answer.JoinExpiresAt = code, e.JoinExpiresAt
			details["join_code"] = "replaced"
		}
		return e
	}
}
