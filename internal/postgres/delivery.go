package postgres

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// errNothing rolls back an operation that has nothing to do. The operation is not
// recorded.
var errNothing = sqlstore.ErrNothing

// InboxAfter implements sqlstore.MailEntry.
func (e *entry) InboxAfter(g bridge.Gate, after int64, p bridge.Page) ([]bridge.Message, bool, error) {
	return sqlstore.ReadMessages(e.sql(), selectInbox+inboxPage,
		[]any{g.Conversation, string(g.Session), after, p.Limit + 1}, p.Limit, p.Bytes)
}

// UnreadHeads implements bridge.Store.
func (s *Store) UnreadHeads(ctx context.Context, conversation string, session bridge.SessionID, limit int) (all []bridge.Head, err error) {
	err = s.read(ctx, func(c *conn) error {
		all = nil
		var h sqlstore.HeadRow
		return c.each(`
			SELECT m.id, left(m.message, 4), octet_length(m.message)::bigint, left(m.files, 4), octet_length(m.files)::bigint
			FROM session_status s
			JOIN inbox i ON i.conversation = s.conversation AND i.recipient = s.session AND i.seq > s.read_seq
			JOIN messages m ON m.id = i.message
			WHERE s.conversation = $1 AND s.session = $2 ORDER BY i.seq LIMIT $3`,
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
		claimed, kept, err := changeClaim(e.conn, claim, rule)
		e.Sessions = claimed.sessions
		e.Operation.Details["last_seq"] = kept.ClaimSeq
		if err != nil || kept.ReadSeq == claimed.ReadSeq {
			return err
		}
		e.keepReceipts(claim, bridge.Receipts(claimed.messages()))
		return nil
	})
	return sqlstore.UnlessNothing(err)
}

// RenewClaim implements bridge.Store.
func (s *Store) RenewClaim(ctx context.Context, claim bridge.Claim, rule bridge.ClaimRule) error {
	err := s.write(ctx, func(c *conn) (durability, error) {
		holdAnother(c, claim.Conversation)
		_, _, err := changeClaim(c, claim, rule)
		return relaxed, err
	})
	return sqlstore.UnlessNothing(err)
}

// keepReceipts stores what each sender is told about how far the session has read. In a
// conversation of two the receipt for the only partner is in the session's own row.
func (e *entry) keepReceipts(of bridge.Claim, receipts []bridge.Receipt) {
	for _, r := range receipts {
		if e.Many() {
			e.later(`
				INSERT INTO flows (conversation, sender, recipient, read_id, read_at) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (conversation, sender, recipient) DO UPDATE SET
				    read_id = $4, read_at = $5, unread = greatest(0, flows.unread - $6)`,
				of.Conversation, string(r.Sender), string(of.Session), r.ID, e.Operation.Now, r.Count)
			continue
		}
		e.later("UPDATE session_status SET receipt_id = $1, receipt_at = $2 WHERE conversation = $3 AND session = $4",
			r.ID, e.Operation.Now, of.Conversation, string(of.Session))
	}
}

// changeClaim stores the claim that rule returns, or returns errNothing.
func changeClaim(c *conn, claim bridge.Claim, rule bridge.ClaimRule) (was claimedInbox, kept bridge.Inbox, err error) {
	was, err = getInbox(c, claim)
	if errors.Is(err, errNoRow) {
		return was, was.Inbox, errNothing // the conversation was removed
	}
	if err != nil {
		return was, was.Inbox, err
	}
	kept, ok := rule(was.Inbox, claim.ID)
	if !ok {
		return was, was.Inbox, errNothing
	}
	return was, kept, sqlstore.PutInbox(c.sql(), claim, kept)
}

// claimedInbox is an inbox together with the messages of its claim. Both are read in
// one query to save a round trip.
type claimedInbox struct {
	bridge.Inbox
	sessions     int64 // number of sessions in the conversation
	ids, senders string
}

func getInbox(c *conn, of bridge.Claim) (i claimedInbox, err error) {
	err = c.get(`
		SELECT s.last_seq, s.read_seq, s.handed_seq, s.claim_id, s.claim_seq, s.claim_until, c.sessions, m.ids, m.senders
		FROM session_status s JOIN conversations c ON c.id = s.conversation
		CROSS JOIN LATERAL (
		    SELECT string_agg(m.id::text, ' ' ORDER BY i.seq) AS ids, string_agg(m.sender, ' ' ORDER BY i.seq) AS senders
		    FROM inbox i JOIN messages m ON m.id = i.message
		    WHERE i.conversation = s.conversation AND i.recipient = s.session AND i.seq > s.read_seq AND i.seq <= s.claim_seq) m
		WHERE s.conversation = $1 AND s.session = $2 FOR UPDATE OF s`,
		[]any{of.Conversation, string(of.Session)},
		&i.LastSeq, &i.ReadSeq, &i.HandedSeq, &i.ClaimID, &i.ClaimSeq, &i.ClaimUntil, &i.sessions, &i.ids, &i.senders)
	return i, err
}

// messages returns the messages of the claim, parsed from the lists that the query
// returns.
func (i claimedInbox) messages() (all []bridge.ReadMessage) {
	senders := strings.Fields(i.senders)
	for n, id := range strings.Fields(i.ids) {
		number, _ := strconv.ParseInt(id, 10, 64) // from the server, always a number
		all = append(all, bridge.ReadMessage{ID: number, Sender: senders[n]})
	}
	return all
}

// NoteSeen implements bridge.Store.
func (s *Store) NoteSeen(ctx context.Context, conversation string, session bridge.SessionID, now time.Time) error {
	return s.write(ctx, func(c *conn) (durability, error) {
		c.later(lockState)
		holdAnother(c, conversation)
		e := &entry{conn: c, Call: sqlstore.Call{Operation: bridge.Operation{Now: now}}, store: s}
		err := c.get("SELECT h.latest, h.slow, s.seen_at FROM store_state h, session_status s WHERE s.conversation = $1 AND s.session = $2",
			[]any{conversation, string(session)}, &e.Clock.Latest, &e.Clock.Slow, &e.Proof.SeenAt)
		if errors.Is(err, errNoRow) {
			return relaxed, nil
		}
		if err != nil {
			return relaxed, err
		}
		e.Time = e.Clock.Time(now)
		return relaxed, sqlstore.Seen(e, conversation, session)
	})
}

// NoteAllSeen implements bridge.Store. It skips rows that others have locked.
func (s *Store) NoteAllSeen(ctx context.Context, of []bridge.Address, now, since time.Time) error {
	conversations, sessions := columns(of)
	return s.write(ctx, func(c *conn) (durability, error) {
		c.later(`
			UPDATE session_status SET seen_at = $1 WHERE (conversation, session) IN (
			    SELECT s.conversation, s.session FROM session_status s
			    JOIN unnest($2::text[], $3::text[]) AS n (conversation, session) ON n.conversation = s.conversation AND n.session = s.session
			    WHERE s.seen_at > $4
			    FOR UPDATE OF s SKIP LOCKED)`, now, conversations, sessions, since)
		return relaxed, nil
	})
}

// columns returns the addresses as two arrays for a statement.
func columns(of []bridge.Address) (conversations, sessions []string) {
	for _, one := range of {
		conversations, sessions = append(conversations, one.Conversation), append(sessions, string(one.Session))
	}
	return conversations, sessions
}

const selectView = `h.latest, h.slow, c.expires_at, c.expiry_seal, s.nonce, s.seen_at, s.last_seq, s.read_seq, s.handed_seq, s.claim_id, s.claim_seq, s.claim_until`

// viewColumns are the destinations for selectView.
func viewColumns(v *bridge.SessionView) []any {
	return []any{
		&v.Clock.Latest, &v.Clock.Slow, &v.ExpiresAt, &v.ExpirySeal, &v.Nonce, &v.SeenAt,
		&v.LastSeq, &v.ReadSeq, &v.HandedSeq, &v.ClaimID, &v.ClaimSeq, &v.ClaimUntil,
	}
}

// PeekInbox implements bridge.Store.
func (s *Store) PeekInbox(ctx context.Context, conversation string, session bridge.SessionID) (v bridge.SessionView, err error) {
	var shared string
	err = s.read(ctx, func(c *conn) error {
		err := c.get("SELECT s.shared_files, "+selectView+`
			FROM store_state h
			LEFT JOIN conversations c ON c.id = $1
			LEFT JOIN session_status s ON s.conversation = $1 AND s.session = $2`,
			[]any{conversation, string(session)}, append([]any{&shared}, viewColumns(&v)...)...)
		v.Shared = toShared(c.openShared(conversation, session, shared))
		return noStateError(err)
	})
	return v, err
}

// PeekInboxes implements bridge.Store.
func (s *Store) PeekInboxes(ctx context.Context, of []bridge.Address) ([]bridge.SessionView, error) {
	conversations, sessions := columns(of)
	var views []bridge.SessionView
	err := s.read(ctx, func(c *conn) error {
		var v bridge.SessionView
		views = make([]bridge.SessionView, 0, len(of))
		return c.each("SELECT "+selectView+`
			FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS n (conversation, session, place)
			CROSS JOIN store_state h
			LEFT JOIN conversations c ON c.id = n.conversation
			LEFT JOIN session_status s ON s.conversation = n.conversation AND s.session = n.session
			ORDER BY n.place`, []any{conversations, sessions}, viewColumns(&v), func() error {
			views = append(views, v)
			v = bridge.SessionView{}
			return nil
		})
	})
	if err == nil && len(views) != len(of) {
		return nil, noStateError(errNoRow)
	}
	return views, err
}
