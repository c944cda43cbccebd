package bridge

import (
	"context"
	"errors"
	"time"
)

// Peeked is mail that was read without being marked read.
type Peeked struct {
	// Messages are in order.
	Messages []Message
	// HasMore reports that there are more behind these.
	HasMore bool
	// LastSeq is the number of the last message in the inbox, Unread how many of
	// them are unread.
	LastSeq, Unread int64
}

// FromUnread stands, as the number of the last message seen, for the last that
// was read.
const FromUnread = -1

// Behind is the number behind which a peek begins that was asked for from after on.
func (i Inbox) Behind(after int64) int64 {
	if after == FromUnread {
		return i.ReadSeq
	}
	return after
}

// PeekMessages returns the caller's messages with a number above after, oldest
// first, and leaves them as they are: not read, not claimed.
func (s *Service) PeekMessages(ctx context.Context, c Credentials, after int64, limit int) (Peeked, error) {
	g := s.BesideGate(ctx, c, "peek_messages")
	limit, err := pageSize(limit)
	if after < FromUnread {
		err = Invalid("after", "must be the number of a message")
	}
	if err != nil {
		return Peeked{}, s.Refuse(ctx, g, err)
	}
	return s.store.PeekMessages(ctx, g, after, Page{Limit: limit, Bytes: PageBytes})
}

// AwaitMessages returns when the caller's inbox holds a message with a number
// above after, or when PeekMessages would be refused. It marks and records
// nothing, and costs next to nothing while it waits.
func (s *Service) AwaitMessages(ctx context.Context, c Credentials, after int64) error {
	return s.awaitMail(ctx, c, after, nil)
}

// AwaitMail is AwaitMessages that returns in any case when MaxWait is over, or when
// drain is closed.
func (s *Service) AwaitMail(ctx context.Context, c Credentials, after int64, drain <-chan struct{}) error {
	short, cancel := context.WithTimeout(ctx, MaxWait)
	defer cancel()
	if err := s.awaitMail(short, c, after, drain); err != nil && short.Err() == nil {
		return err
	}
	return ctx.Err()
}

func (s *Service) awaitMail(ctx context.Context, c Credentials, after int64, drain <-chan struct{}) error {
	_, err := s.waitMail(ctx, []Credentials{c}, drain, func(ctx context.Context, views []SessionView) (bool, error) {
		g := s.BesideGate(ctx, c, "peek_messages")
		return !g.Admits(views[0].Proof) || views[0].LastSeq > after, nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// PeekRoster tells a session who is in its conversation, with role and status. Like
// CountMail it writes nothing, and refuses whom that refuses.
func (s *Service) PeekRoster(ctx context.Context, c Credentials) (roster Roster, err error) {
	if _, err := s.CountMail(ctx, c); err != nil {
		return nil, err
	}
	o, err := s.store.Conversation(ctx, c.Conversation)
	if err != nil {
		return nil, err
	}
	for _, each := range o.Sessions {
		roster = append(roster, SessionState{Session: each.Session, Role: each.Role, Status: each.Status})
	}
	return roster, nil
}

// Mail is how much there is for a session.
type Mail struct {
	// Unread counts the messages that wait and are not on their way to it.
	Unread int64
	// LastSeq is the number of the last message in the inbox, 0 without one.
	LastSeq int64
	// ExpiresAt is the end of the conversation. Until Grace later its sessions may
	// read their mail.
	ExpiresAt time.Time
	// Now is the time that this is about, by the store's clock.
	Now time.Time
}

// Left is how long the conversation lives; 0 where it has expired.
func (m Mail) Left() time.Duration { return max(m.ExpiresAt.Sub(m.Now), 0) }

// CountMail counts a session's mail. It writes nothing at all, not even an audit
// entry, for who looks often. It is ErrUnauthorized for who cannot prove to be
// that session, or whose conversation expired longer than Grace ago.
func (s *Service) CountMail(ctx context.Context, c Credentials) (Mail, error) {
	g := s.BesideGate(ctx, c, "")
	view, err := s.store.PeekInbox(ctx, g.Conversation, g.Session)
	if err != nil {
		return Mail{}, err
	}
	switch err := g.Admit(view.Proof); {
	case errors.Is(err, ErrOutOfBounds):
		return Mail{}, ErrOutOfBounds
	case err != nil:
		return Mail{}, ErrUnauthorized
	}
	return Mail{Unread: view.Waiting(g.Now), LastSeq: view.LastSeq, ExpiresAt: view.ExpiresAt, Now: view.Clock.Time(g.Now)}, nil
}

// SessionOf returns the session that a token belongs to, for callers who were
// told the conversation and the token only. It records nothing and promises
// nothing: for a token of no session it answers SessionB, which every operation
// refuses.
func (s *Service) SessionOf(ctx context.Context, conversation, token string) (SessionID, error) {
	found := SessionB
	for _, session := range SessionIDs() {
		g := s.ReadGate(ctx, Credentials{conversation, session, token}, "")
		view, err := s.store.PeekInbox(ctx, g.Conversation, session)
		if err != nil {
			return "", err
		}
		if len(view.Nonce) == 0 {
			continue // a damaged store may have lost one of them
		}
		if g.Prove(view.Proof) && !g.Outside {
			found = session
		}
	}
	return found, nil
}
