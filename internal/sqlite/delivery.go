package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// UnreadHeads implements bridge.Store.
func (s *Store) UnreadHeads(ctx context.Context, conversation string, session bridge.SessionID, limit int) (all []bridge.Head, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		var h sqlstore.HeadRow
		return c.each(`
			SELECT m.id, substr(m.message, 1, 4), length(CAST(m.message AS BLOB)), substr(m.files, 1, 4), length(m.files)
			FROM (`+unionInbox("seq > (SELECT read_seq FROM session_status WHERE conversation = ?1 AND session = ?2)", "ORDER BY 1 LIMIT ?3 + 0")+`) i
			CROSS JOIN messages m ON m.id = i.id`,
			[]any{conversation, string(session), limit}, h.Dest(), func() error {
				all = append(all, h.Head())
				return nil
			})
	})
	return all, err
}

// EndClaim implements bridge.Store.
func (s *Store) EndClaim(ctx context.Context, op bridge.Operation, claim bridge.Claim, rule bridge.ClaimRule) error {
	err := s.operate(ctx, op, relaxed, func(e *entry) error {
		was, kept, err := changeClaim(e.conn, claim, rule, &e.Sessions)
		e.Operation.Details["last_seq"] = kept.ClaimSeq
		if err != nil || kept.ReadSeq == was.ReadSeq {
			return err
		}
		read, err := e.readMessages(claim, was.ReadSeq, kept.ReadSeq)
		if err != nil {
			return err
		}
		return e.keepReceipts(claim, bridge.Receipts(read))
	})
	return sqlstore.UnlessNothing(err)
}

// RenewClaim implements bridge.Store.
func (s *Store) RenewClaim(ctx context.Context, claim bridge.Claim, rule bridge.ClaimRule) error {
	err := s.write.do(ctx, func(c *conn) (durability, error) {
		_, _, err := changeClaim(c, claim, rule, new(int64))
		return relaxed, err
	})
	return sqlstore.UnlessNothing(err)
}

// readMessages returns the messages of a session's inbox with numbers greater than
// from, up to and including to.
func (e *entry) readMessages(of bridge.Claim, from, to int64) (all []bridge.ReadMessage, err error) {
	query := selectReadOfPair
	if e.Many() {
		query = selectReadOfMany
	}
	var m bridge.ReadMessage
	err = e.each(query, []any{of.Conversation, string(of.Session), from, to}, []any{&m.Sender, &m.ID}, func() error {
		all = append(all, m)
		return nil
	})
	return all, err
}

const selectReadOfPair = "SELECT sender, id FROM messages WHERE conversation = ?1 AND recipient = ?2 AND seq > ?3 AND seq <= ?4"

var selectReadOfMany = "SELECT m.sender, m.id FROM (" + unionInbox("seq > ?3 AND seq <= ?4", "") + ") i JOIN messages m ON m.id = i.id"

// keepReceipts stores what each sender is told about how far the session has read. In a
// conversation of two the receipt for the only partner is in the session's own row.
func (e *entry) keepReceipts(of bridge.Claim, receipts []bridge.Receipt) error {
	for _, r := range receipts {
		var err error
		if e.Many() {
			_, err = e.exec(`
				INSERT INTO flows (conversation, sender, recipient, read_id, read_at) VALUES (?1, ?2, ?3, ?4, ?5)
				ON CONFLICT (conversation, sender, recipient) DO UPDATE SET read_id = ?4, read_at = ?5, unread = max(0, unread - ?6)`,
				of.Conversation, string(r.Sender), string(of.Session), r.ID, e.Operation.Now, r.Count)
		} else {
			_, err = e.exec("UPDATE session_status SET receipt_id = ?, receipt_at = ? WHERE conversation = ? AND session = ?",
				r.ID, e.Operation.Now, of.Conversation, string(of.Session))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changeClaim stores the claim that rule returns, or returns errNothing. It also loads
// the number of sessions in the conversation.
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
	return was, kept, sqlstore.PutInbox(c.sql(), claim, kept)
}

func getInbox(c *conn, of bridge.Claim, sessions *int64) (i bridge.Inbox, err error) {
	err = c.get(`
		SELECT s.last_seq, s.read_seq, s.handed_seq, s.claim_id, s.claim_seq, s.claim_until, c.sessions
		FROM session_status s JOIN conversations c ON c.id = s.conversation
		WHERE s.conversation = ? AND s.session = ?`,
		[]any{of.Conversation, string(of.Session)},
		&i.LastSeq, &i.ReadSeq, &i.HandedSeq, &i.ClaimID, &i.ClaimSeq, &i.ClaimUntil, sessions)
	return i, err
}

// NoteSeen implements bridge.Store.
func (s *Store) NoteSeen(ctx context.Context, conversation string, session bridge.SessionID, now time.Time) error {
	return s.write.do(ctx, func(c *conn) (durability, error) {
		e := &entry{conn: c, Call: sqlstore.Call{Operation: bridge.Operation{Now: now}}}
		err := c.get("SELECT h.latest, h.slow, s.seen_at FROM audit_head h LEFT JOIN session_status s ON s.conversation = ? AND s.session = ?",
			[]any{conversation, string(session)}, &e.Clock.Latest, &e.Clock.Slow, &e.Proof.SeenAt)
		if err != nil {
			return relaxed, noHeadError(err)
		}
		e.Time = e.Clock.Time(now)
		return relaxed, sqlstore.Seen(e, conversation, session)
	})
}

// NoteAllSeen implements bridge.Store.
func (s *Store) NoteAllSeen(ctx context.Context, of []bridge.Address, now, since time.Time) error {
	return s.write.do(ctx, func(c *conn) (durability, error) {
		for _, one := range of {
			_, err := c.exec("UPDATE session_status SET seen_at = ? WHERE conversation = ? AND session = ? AND seen_at > ?",
				now, one.Conversation, string(one.Session), since)
			if err != nil {
				return relaxed, err
			}
		}
		return relaxed, nil
	})
}

// PeekInbox implements bridge.Store.
func (s *Store) PeekInbox(ctx context.Context, conversation string, session bridge.SessionID) (v bridge.SessionView, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		shared, err := c.peek(bridge.Address{Conversation: conversation, Session: session}, &v)
		v.Shared = toShared(c.openShared(conversation, session, shared))
		return err
	})
	return v, err
}

// PeekInboxes implements bridge.Store.
func (s *Store) PeekInboxes(ctx context.Context, of []bridge.Address) ([]bridge.SessionView, error) {
	views := make([]bridge.SessionView, len(of))
	err := s.read.do(ctx, func(c *conn) error {
		for i, one := range of {
			if err := ctx.Err(); err != nil {
				return err
			}
			if _, err := c.peek(one, &views[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return views, err
}

func (c *conn) peek(of bridge.Address, v *bridge.SessionView) (shared string, err error) {
	err = c.get(`
		SELECT h.latest, h.slow, c.expires_at, c.expiry_seal, s.nonce, s.seen_at, s.shared_files, s.last_seq, s.read_seq, s.handed_seq, s.claim_id, s.claim_seq, s.claim_until
		FROM audit_head h
		LEFT JOIN conversations c ON c.id = ?1
		LEFT JOIN session_status s ON s.conversation = ?1 AND s.session = ?2`,
		[]any{of.Conversation, string(of.Session)}, &v.Clock.Latest, &v.Clock.Slow, &v.ExpiresAt, &v.ExpirySeal, &v.Nonce, &v.SeenAt, &shared,
		&v.LastSeq, &v.ReadSeq, &v.HandedSeq, &v.ClaimID, &v.ClaimSeq, &v.ClaimUntil)
	return shared, noHeadError(err)
}

// openShared opens the stored value of a session's shared_files column.
func (c *conn) openShared(conversation string, session bridge.SessionID, stored string) string {
	return sqlstore.OpenShared(c.sql(), sqlstore.SharedPlace(conversation, string(session)), stored)
}

// fromShared returns the stored form for the column shared_files: a plain list in a
// conversation of two, where only the partner can have named files, and otherwise a
// list per session.
func fromShared(s bridge.Shared) string {
	if len(s) == 0 || len(s) == 1 && s[""] != nil {
		return sqlstore.List(s[""])
	}
	encoded, _ := json.Marshal(s) // strings can always be encoded
	return string(encoded)
}

// toShared parses the stored form. The column of a session that does not exist is NULL.
func toShared(column string) (s bridge.Shared) {
	if column == "" || json.Unmarshal([]byte(column), &s) == nil {
		return s
	}
	return s.With("", sqlstore.FromList(column))
}
