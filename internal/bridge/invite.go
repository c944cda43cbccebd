package bridge

import (
	"context"
	"errors"
	"slices"
	"time"

	"example.org/bridge/internal/auth"
)

// ErrFull reports a conversation that has the maximum number of sessions.
var ErrFull = errors.New("the conversation has 26 sessions, which is the limit")

// Invited is the result of Invite.
type Invited struct {
	Session SessionID
	Role    string
	// JoinCode gets its holder the token of the session, once, until JoinExpiresAt.
	JoinCode      string
	JoinExpiresAt time.Time
	// Redacted names the kinds of secrets that were hidden in the role.
	Redacted []string
	// Unread counts the messages waiting for the caller.
	Unread int64
}

// An InviteRule returns a new session for a conversation, given its state at the
// store's time now. It is called before the call is charged. Its error is nil or a
// Refusal. It is pure apart from the random values that it generates.
type InviteRule func(o Overview, now time.Time) (NewSession, error)

// Invite creates a join code for a new session of the caller's conversation. Only
// session "a" may invite. If the previously invited session did not join in time, the
// new one takes its place. The error may be ErrFull.
func (s *Service) Invite(ctx context.Context, c Credentials, role string) (Invited, error) {
	g := s.WriteGate(ctx, c, "invite_to_conversation")
	err := validateRole("role", role)
	if c.Session != SessionA {
		err = Invalid("session_id", "must be a: only the session that created the conversation can invite others")
	}
	if err != nil {
		return Invited{}, s.Refuse(ctx, g, err)
	}
	hide := s.Redaction(ctx)
	i := Invited{JoinCode: auth.NewJoinCode(), Role: hide.Text(role)}
	if hide.Err() != nil {
		return Invited{}, hide.Err()
	}
	if i.Redacted = hide.Found(); len(i.Redacted) > 0 {
		g.Details["redacted"] = i.Redacted
	}
	fresh, unread, err := s.store.InviteSession(ctx, g, func(o Overview, now time.Time) (NewSession, error) {
		session, ok := freePlace(o.Sessions, now)
		if !ok {
			return NewSession{}, g.Refuse(ErrFull, OutcomeRefused)
		}
		return NewSession{
			NewNonce: s.newNonce(c.Conversation, session), Role: i.Role,
			JoinHash: s.codes.Hash(i.JoinCode), JoinExpiresAt: Earlier(now.Add(JoinCodeTTL), o.ExpiresAt),
		}, nil
	})
	if err == nil {
		s.Ring(c.Conversation, Work)
	}
	i.Session, i.JoinExpiresAt, i.Unread = fresh.Session, fresh.JoinExpiresAt, unread
	return i, err
}

// freePlace returns the first session that does not exist, or that was never joined
// and is no longer reserved. The place of session "b" is never given away, because
// mail may be waiting for it.
func freePlace(r Roster, now time.Time) (SessionID, bool) {
	all := SessionIDs()[2:]
	i := slices.IndexFunc(all, func(id SessionID) bool {
		s, taken := r.Of(id)
		return !taken || !s.Joined() && !now.Before(s.KeptUntil)
	})
	if i < 0 {
		return "", false
	}
	return all[i], true
}
