package postgres

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
)

// errNothing undoes an operation that has nothing to do: it is not recorded.
var errNothing = errors.New("nothing to do")

// unlessNothing is err, and nil for errNothing.
func unlessNothing(err error) error {
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

// TakeUnread implements bridge.Store. An empty inbox is recorded without
// waiting for the disk; messages are handed out durably, so that even a power
// cut cannot make them come again without their being marked redelivered.
func (s *Store) TakeUnread(ctx context.Context, g bridge.Gate, t bridge.Take) (taken bridge.Taken, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		taken = bridge.Taken{}
		if e.self.Busy(g.Now) {
			taken = bridge.Taken{Busy: true, Delivery: bridge.Delivery{HasMore: true, Unread: e.self.Unread()}}
			return errNothing
		}
		if err := e.chargeCall(); err != nil {
			return err
		}
		taken.Messages, taken.HasMore, err = e.inboxAfter(g, e.self.ReadSeq, t.Page)
		if err != nil {
			return err
		}
		taken.Unread = e.self.Unread() - int64(len(taken.Messages))
		taken.Standing = e.standing(g)
		e.op.Details["messages"] = len(taken.Messages)
		if len(taken.Messages) == 0 {
			return e.fold()
		}
		e.level = durable
		kept := e.self.Hand(taken.Messages, t.ClaimUntil, e.op.Details)
		taken.Standing.Unread = kept.Waiting(g.Now)
		taken.Claim = bridge.Claim{Conversation: g.Conversation, Session: g.Session, ID: kept.ClaimID}
		putInbox(e.conn, taken.Claim, kept)
		return nil
	})
	return taken, unlessNothing(err)
}

// inboxAfter reads a page of g's inbox behind a number.
func (e *entry) inboxAfter(g bridge.Gate, after int64, p bridge.Page) ([]bridge.Message, bool, error) {
	return readMessages(e.conn, selectInbox+inboxPage,
		[]any{g.Conversation, string(g.Session), after, p.Limit + 1}, p.Limit, p.Bytes)
}

// PeekMessages implements bridge.Store.
func (s *Store) PeekMessages(ctx context.Context, g bridge.Gate, after int64, page bridge.Page) (p bridge.Peeked, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		p.LastSeq, p.Unread = e.self.LastSeq, e.self.Unread()
		p.Messages, p.HasMore, err = e.inboxAfter(g, e.self.Behind(after), page)
		e.op.Details["messages"] = len(p.Messages)
		if err != nil || len(p.Messages) > 0 {
			return err
		}
		return e.fold()
	})
	return p, err
}

// UnreadHeads implements bridge.Store.
func (s *Store) UnreadHeads(ctx context.Context, conversation string, session bridge.SessionID, limit int) (all []bridge.Head, err error) {
	err = s.read(ctx, func(c *conn) error {
		all = nil
		var id, bytes int64
		return c.each(`
			SELECT m.id, (octet_length(m.message) + octet_length(m.files))::bigint
			FROM session_status s
			JOIN inbox i ON i.conversation = s.conversation AND i.recipient = s.session AND i.seq > s.read_seq
			JOIN messages m ON m.id = i.message
			WHERE s.conversation = $1 AND s.session = $2 ORDER BY i.seq LIMIT $3`,
			[]any{conversation, string(session), limit}, []any{&id, &bytes}, func() error {
				all = append(all, bridge.Head{ID: id, Bytes: int(bytes)})
				return nil
			})
	})
	return all, err
}

// EndClaim implements bridge.Store.
func (s *Store) EndClaim(ctx context.Context, op bridge.Operation, claim bridge.Claim, rule bridge.ClaimRule) error {
	err := s.operate(ctx, op, relaxed, func(e *entry) error {
		was, kept, err := changeClaim(e.conn, claim, rule, &e.sessions)
		e.op.Details["last_seq"] = kept.ClaimSeq
		switch {
		case err != nil || kept.ReadSeq == was.ReadSeq:
			return err
		case e.many():
			e.receipts(claim, was.ReadSeq, kept.ReadSeq)
		default:
			e.receipt(claim, was.ReadSeq, kept.ReadSeq)
		}
		return nil
	})
	return unlessNothing(err)
}

// RenewClaim implements bridge.Store.
func (s *Store) RenewClaim(ctx context.Context, claim bridge.Claim, rule bridge.ClaimRule) error {
	err := s.write(ctx, func(c *conn) (durability, error) {
		holdAnother(c, claim.Conversation)
		_, _, err := changeClaim(c, claim, rule, new(int64))
		return relaxed, err
	})
	return unlessNothing(err)
}

// receipt notes which message of its only partner the session has read last, of those
// behind from, up to to.
func (e *entry) receipt(of bridge.Claim, from, to int64) {
	e.later(`
		UPDATE session_status SET receipt_id = r.message, receipt_at = $6 FROM (
		    SELECT i.message FROM inbox i JOIN messages m ON m.id = i.message
		    WHERE i.conversation = $1 AND i.recipient = $2 AND i.seq > $3 AND i.seq <= $4 AND m.sender NOT IN ($5, 'operator')
		    ORDER BY i.seq DESC LIMIT 1) AS r
		WHERE conversation = $1 AND session = $2`,
		of.Conversation, string(of.Session), from, to, bridge.System, e.op.Now)
}

// changeClaim keeps what rule makes of a claim, or returns errNothing. It counts the
// sessions of the conversation, too.
func changeClaim(c *conn, claim bridge.Claim, rule bridge.ClaimRule, sessions *int64) (was, kept bridge.Inbox, err error) {
	was, err = getInbox(c, claim, sessions)
	if errors.Is(err, errNoRow) {
		return was, was, errNothing // the conversation was removed
	}
	if err != nil {
		return was, was, err
	}
	kept, ok := rule(was, claim.ID)
	if !ok {
		return was, was, errNothing
	}
	putInbox(c, claim, kept)
	return was, kept, nil
}

func getInbox(c *conn, of bridge.Claim, sessions *int64) (i bridge.Inbox, err error) {
	err = c.get(`
		SELECT s.last_seq, s.read_seq, s.handed_seq, s.claim_id, s.claim_seq, s.claim_until, c.sessions
		FROM session_status s JOIN conversations c ON c.id = s.conversation
		WHERE s.conversation = $1 AND s.session = $2 FOR UPDATE OF s`,
		[]any{of.Conversation, string(of.Session)},
		&i.LastSeq, &i.ReadSeq, &i.HandedSeq, &i.ClaimID, &i.ClaimSeq, &i.ClaimUntil, sessions)
	return i, err
}

// putInbox keeps what a claim changes of an inbox.
func putInbox(c *conn, of bridge.Claim, i bridge.Inbox) {
	c.later(`
		UPDATE session_status SET read_seq = $1, handed_seq = $2, claim_id = $3, claim_seq = $4, claim_until = $5
		WHERE conversation = $6 AND session = $7`,
		i.ReadSeq, i.HandedSeq, i.ClaimID, i.ClaimSeq, i.ClaimUntil, of.Conversation, string(of.Session))
}

// NoteSeen implements bridge.Store.
func (s *Store) NoteSeen(ctx context.Context, conversation string, session bridge.SessionID, now time.Time) error {
	return s.write(ctx, func(c *conn) (durability, error) {
		holdAnother(c, conversation)
		e := &entry{conn: c, store: s, now: now, op: bridge.Operation{Now: now}}
		err := c.get("SELECT seen_at FROM session_status WHERE conversation = $1 AND session = $2", []any{conversation, string(session)}, &e.proof.SeenAt)
		if errors.Is(err, errNoRow) {
			return relaxed, nil
		}
		if err != nil {
			return relaxed, err
		}
		return relaxed, e.seen(conversation, session)
	})
}

// PeekInbox implements bridge.Store.
func (s *Store) PeekInbox(ctx context.Context, conversation string, session bridge.SessionID) (v bridge.SessionView, err error) {
	var shared string
	err = s.read(ctx, func(c *conn) error {
		return stateless(c.get(`
			SELECT h.latest, h.slow, c.expires_at, c.expiry_seal, s.nonce, s.seen_at, s.shared_files, s.last_seq, s.read_seq, s.handed_seq, s.claim_id, s.claim_seq, s.claim_until
			FROM store_state h
			LEFT JOIN conversations c ON c.id = $1
			LEFT JOIN session_status s ON s.conversation = $1 AND s.session = $2`,
			[]any{conversation, string(session)}, &v.Clock.Latest, &v.Clock.Slow, &v.ExpiresAt, &v.ExpirySeal, &v.Nonce, &v.SeenAt, &shared,
			&v.LastSeq, &v.ReadSeq, &v.HandedSeq, &v.ClaimID, &v.ClaimSeq, &v.ClaimUntil))
	})
	v.Shared = toShared(shared)
	return v, err
}

// Heartbeat implements bridge.Store.
func (s *Store) Heartbeat(ctx context.Context, g bridge.Gate) (p bridge.Pulse, err error) {
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		p.Unread, p.ExpiresAt = e.self.Unread(), e.proof.ExpiresAt
		if err := e.beat(g); err != nil {
			return err
		}
		return e.fold()
	})
	return p, err
}

// beat sets the heartbeat of g's session.
func (e *entry) beat(g bridge.Gate) error {
	if err := e.lapse(g.Conversation, g.Session); err != nil {
		return err
	}
	e.later("UPDATE session_status SET heartbeat_at = $1, seen_at = $1 WHERE conversation = $2 AND session = $3",
		g.Now, g.Conversation, string(g.Session))
	return nil
}
