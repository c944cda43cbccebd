package bridge

import (
	"context"
	"time"

	"example.org/bridge/internal/auth"
)

// DefaultExtension is how long an extended conversation lives from now by default.
const DefaultExtension = DefaultTTL

// ExpiresSoon is how long before its end a session is told that its conversation
// ends: by each answer, and once by the hooks of its client.
const ExpiresSoon = 15 * time.Minute

// ExpiredError refuses what would change a conversation that has expired, to who
// has proved to be one of its sessions. It is an ErrExpired.
type ExpiredError struct {
	// At is when it expired, and ReadUntil how long its sessions may read.
	At, ReadUntil time.Time
}

func (e *ExpiredError) Error() string {
	const layout = "2006-01-02T15:04:05Z07:00"
	return "the conversation expired at " + e.At.Format(layout) + " and takes nothing new; what is in it can be read until " + e.ReadUntil.Format(layout)
}

func (e *ExpiredError) Unwrap() error { return ErrExpired }

// Extended is the answer to Extend.
type Extended struct {
	ExpiresAt time.Time
	// JoinCode is a fresh one, good until JoinExpiresAt, where nobody has joined as
	// session "b" yet: the one before it is invalid. Empty otherwise.
	JoinCode      string
	JoinExpiresAt time.Time
	// Unread counts what waits for the caller; 0 for the operator.
	Unread int64
}

// Extension is what a store keeps of an extended conversation.
type Extension struct {
	ExpiresAt  time.Time
	ExpirySeal []byte
	// JoinHash and JoinExpiresAt are of a fresh join code for session "b"; nil leaves
	// the code as it is.
	JoinHash      []byte
	JoinExpiresAt time.Time
}

// An ExtendRule says what becomes of a conversation that is extended at a time of
// the store. It is pure.
type ExtendRule func(o Overview, now time.Time) Extension

// Extend lets the caller's conversation live for d from now; zero means
// DefaultExtension. While the conversation is paused only the operator may. Either session may, up to MaxTTL. It never becomes shorter.
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

// ExtendByOperator is Extend for the operator, who may bring back a conversation
// that has expired. An end that was moved (ErrExpiryMoved) is replaced, and may
// become shorter. The error may be ErrNotFound.
func (s *Service) ExtendByOperator(ctx context.Context, conversation string, d time.Duration) (Extended, error) {
	return s.extendByOperator(ctx, conversation, d, true)
}

// ExtendWithoutCode is ExtendByOperator for who must not get what lets somebody join: a join
// code stays as it is, also where it is no longer good.
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

// extendRule fills in the answer as well. A fresh join code is for who gives it
// to the partner, while nobody has joined.
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
