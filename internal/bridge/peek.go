package bridge

import (
	"context"
	"errors"
	"time"
)

// Peeked is mail that was read without marking it read.
type Peeked struct {
	// Messages are in order.
	Messages []Message
	// HasMore reports that more messages follow these.
	HasMore bool
	// LastSeq is the number of the last message in the inbox. Unread is the
	// number of unread messages in it.
	LastSeq, Unread int64
}

// FromUnread can be passed instead of the number of the last message seen. It
// means the last message that was read.
const FromUnread = -1

// Behind returns the number after which a peek begins, given its argument after.
func (i Inbox) Behind(after int64) int64 {
	if after == FromUnread {
		return i.ReadSeq
	}
	return after
}

// PeekMessages returns the caller's messages with a number above after, oldest
// first. It neither marks them read nor claims them.
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
// nothing, and uses almost no resources while waiting.
func (s *Service) AwaitMessages(ctx context.Context, c Credentials, after int64) error {
	return s.awaitMail(ctx, c, after, nil)
}

// AwaitMail is AwaitMessages, but also returns after MaxWait and when drain is
// closed.
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

// waitMail calls check with the state of all inboxes until it returns true or fails, or
// until ctx or drain has ended; in the last case it returns false. It reads the inboxes
// when one of them is rung, and once a second together with all other waiters of this
// process.
func (s *Service) waitMail(ctx context.Context, all []Credentials, drain <-chan struct{}, check func(context.Context, []SessionView) (bool, error)) (bool, error) {
	look := func(views []SessionView) (found bool, err error) {
		if views == nil {
			if views, err = s.peekEach(ctx, all); err != nil || ctx.Err() != nil {
				return false, err
			}
		}
		return check(ctx, views)
	}
	if found, err := look(nil); found || err != nil {
		return found, err
	}
	keys := make([]string, len(all))
	for i, c := range all {
		keys[i] = bellKey(c.Conversation, c.Session)
	}
	rings, stop, err := multiNotifier{s.bells, keys}.Listen("")
	if err != nil {
		return wait(ctx, noDoorbells{}, "", drain, func(context.Context) (bool, error) { return look(nil) })
	}
	defer func() { _ = stop() }()
	w := s.mailPoller.join(addresses(all))
	defer s.mailPoller.remove(w)
	return eachTime(ctx, drain, rings, w.views, look)
}

// peekEach reads the state of all inboxes. The error is nil if ctx has ended.
func (s *Service) peekEach(ctx context.Context, all []Credentials) (views []SessionView, err error) {
	for _, of := range addresses(all) {
		view, err := s.store.PeekInbox(ctx, of.Conversation, of.Session)
		if ctx.Err() != nil {
			return nil, nil //nolint:nilerr // the end of the wait is no failure
		}
		if err != nil {
			return nil, err
		}
		views = append(views, view)
	}
	return views, nil
}

// Address identifies the inbox of a session.
type Address struct {
	Conversation string
	Session      SessionID
}

// addresses returns the addresses of the sessions' inboxes.
func addresses(all []Credentials) []Address {
	of := make([]Address, len(all))
	for i, c := range all {
		c = claimed(c)
		of[i] = Address{c.Conversation, c.Session}
	}
	return of
}

// PeekRoster returns the sessions of the caller's conversation with their roles and
// statuses. Like CountMail, it writes nothing, and it refuses the same callers.
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

// Mail describes the inbox of a session.
type Mail struct {
	// Unread counts the unread messages that are not being delivered yet.
	Unread int64
	// LastSeq is the number of the last message in the inbox; 0 if there is
	// none.
	LastSeq int64
	// ExpiresAt is the end of the conversation. Its sessions may read their mail
	// until Grace after it.
	ExpiresAt time.Time
	// Now is the store's time at which the rest was read.
	Now time.Time
}

// Left returns the time until the conversation expires; 0 if it has expired.
func (m Mail) Left() time.Duration { return max(m.ExpiresAt.Sub(m.Now), 0) }

// CountMail counts a session's mail. It writes nothing, not even an audit entry,
// so that it can be called often. The error is ErrUnauthorized if the caller
// cannot prove to be that session, or if the conversation expired more than
// Grace ago.
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

// SessionOf returns the session that a token belongs to, for callers that were
// given only the conversation and the token. It records nothing. For a token of
// no session it returns SessionB, for which every operation then refuses the
// token.
func (s *Service) SessionOf(ctx context.Context, conversation, token string) (SessionID, error) {
	found := SessionB
	for _, session := range SessionIDs() {
		g := s.ReadGate(ctx, Credentials{conversation, session, token}, "")
		view, err := s.store.PeekInbox(ctx, g.Conversation, session)
		if err != nil {
			return "", err
		}
		if len(view.Nonce) == 0 {
			continue // a damaged store may have lost one of the sessions
		}
		if g.Prove(view.Proof) && !g.Outside {
			found = session
		}
	}
	return found, nil
}
