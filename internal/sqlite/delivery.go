package sqlite

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
)

// errBusy undoes a take that another claim forbids: nothing is to be recorded.
var errBusy = errors.New("the next messages are on their way to another answer")

// errArrived undoes a take that found mail but was not going to wait for the
// disk, because the inbox was empty a moment before.
var errArrived = errors.New("a message has arrived in between")

// TakeUnread implements bridge.Store. An empty inbox is recorded without
// waiting for the disk; messages are handed out durably, so that even a power
// cut cannot make them come again without their being marked redelivered.
func (s *Store) TakeUnread(ctx context.Context, g bridge.Gate, t bridge.Take) (taken bridge.Taken, err error) {
	inbox, err := s.PeekInbox(ctx, g.Conversation, g.Session)
	if err != nil {
		return taken, err
	}
	// The proof comes first here too: a refusal that waited for the disk would
	// tell whoever cannot prove itself that the conversation exists and has mail.
	level := relaxed
	if g.Prove(inbox.Proof) && inbox.Unread > 0 {
		level = durable
	}
	taken, err = s.takeUnread(ctx, g, t, level)
	if errors.Is(err, errArrived) {
		taken, err = s.takeUnread(ctx, g, t, durable)
	}
	if errors.Is(err, errBusy) {
		return taken, nil
	}
	return taken, err
}

func (s *Store) takeUnread(ctx context.Context, g bridge.Gate, t bridge.Take, level durability) (taken bridge.Taken, err error) {
	err = s.pass(ctx, g, level, func(e *entry) error {
		if e.self.unread() > 0 && level != durable {
			return errArrived
		}
		if e.self.unread() > 0 && bridge.ClaimStands(e.self.claimUntil, g.Now) {
			taken = bridge.Taken{Busy: true, Delivery: bridge.Delivery{HasMore: true, Unread: e.self.unread()}}
			return errBusy
		}
		if err := e.spend(); err != nil {
			return err
		}
		taken.Messages, taken.HasMore, err = listMessages(e.conn,
			"AND m.recipient = ?2 AND m.seq > ?3 ORDER BY m.seq LIMIT ?4",
			[]any{g.Conversation, string(g.Session), e.self.readSeq, t.Limit + 1}, t.Limit, t.Bytes)
		if err != nil {
			return err
		}
		taken.Unread = e.self.unread() - int64(len(taken.Messages))
		e.op.Details["messages"] = len(taken.Messages)
		if len(taken.Messages) == 0 {
			return nil
		}
		taken.Claim, err = e.claim(g, taken.Messages, t.ClaimUntil)
		return err
	})
	return taken, err
}

// claim keeps messages with one answer until a time, and marks those that were
// handed out before.
func (e *entry) claim(g bridge.Gate, messages []bridge.Message, until time.Time) (bridge.Claim, error) {
	again := 0
	for i := range messages {
		if messages[i].Seq <= e.self.handedSeq {
			messages[i].Redelivered = true
			again++
		}
	}
	first, last := messages[0].Seq, messages[len(messages)-1].Seq
	e.op.Details["first_seq"], e.op.Details["last_seq"] = first, last
	if again > 0 {
		e.op.Details["redelivered"] = again
	}
	_, err := e.exec(`
		UPDATE session_status SET claim_id = ?, claim_seq = ?, claim_until = ?, handed_seq = ?
		WHERE conversation = ? AND session = ?`,
		e.self.claimID+1, last, until, max(e.self.handedSeq, last), g.Conversation, string(g.Session))
	return bridge.Claim{Conversation: g.Conversation, Session: g.Session, ID: e.self.claimID + 1}, err
}

// ConfirmRead implements bridge.Store.
func (s *Store) ConfirmRead(ctx context.Context, op bridge.Operation, claim bridge.Claim) error {
	return s.endClaim(ctx, op, claim, `
		UPDATE session_status SET read_seq = claim_seq, claim_until = 0
		WHERE conversation = ? AND session = ? AND claim_id = ? AND read_seq < claim_seq RETURNING claim_seq`)
}

// ReleaseRead implements bridge.Store.
func (s *Store) ReleaseRead(ctx context.Context, op bridge.Operation, claim bridge.Claim) error {
	return s.endClaim(ctx, op, claim, `
		UPDATE session_status SET claim_until = 0
		WHERE conversation = ? AND session = ? AND claim_id = ? AND claim_until > 0 AND read_seq < claim_seq RETURNING claim_seq`)
}

// endClaim runs update, which touches the claim only while no other has taken
// its place and it has not ended; otherwise nothing happens and is recorded.
func (s *Store) endClaim(ctx context.Context, op bridge.Operation, claim bridge.Claim, update string) error {
	ended := errors.New("the claim has ended already")
	err := s.operate(ctx, op, relaxed, func(e *entry) error {
		var last int64
		err := e.get(update, claimArgs(claim), &last)
		if errors.Is(err, errNoRow) {
			return ended
		}
		e.op.Details["last_seq"] = last
		return err
	})
	if errors.Is(err, ended) {
		return nil
	}
	return err
}

// RenewRead implements bridge.Store.
func (s *Store) RenewRead(ctx context.Context, claim bridge.Claim, until time.Time) error {
	return s.write.do(ctx, relaxed, func(c *conn) error {
		_, err := c.exec("UPDATE session_status SET claim_until = ? WHERE conversation = ? AND session = ? AND claim_id = ? AND claim_until > 0",
			append([]any{until}, claimArgs(claim)...)...)
		return err
	})
}

func claimArgs(c bridge.Claim) []any { return []any{c.Conversation, string(c.Session), c.ID} }

// PeekInbox implements bridge.Store.
func (s *Store) PeekInbox(ctx context.Context, conversation string, session bridge.SessionID) (i bridge.Inbox, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		err := c.get(`
			SELECT c.expires_at, s.nonce, s.last_seq - s.read_seq, s.last_seq, max(s.claim_seq - s.read_seq, 0), s.claim_until
			FROM conversations c JOIN session_status s ON s.conversation = c.id
			WHERE c.id = ? AND s.session = ?`,
			[]any{conversation, string(session)}, &i.ExpiresAt, &i.Nonce, &i.Unread, &i.LastSeq, &i.Claimed, &i.ClaimedUntil)
		if errors.Is(err, errNoRow) {
			return nil
		}
		return err
	})
	return i, err
}
