package postgres

import (
	"context"
	"math"
	"slices"
	"unicode/utf8"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// Send implements sqlstore.MailEntry.
func (e *entry) Send(g bridge.Gate, key string, to bridge.Recipients, d bridge.Draft) (sent bridge.Sent, err error) {
	tails, err := e.tails(g, to)
	if err != nil {
		return sent, err
	}
	m := d.Text(tails)
	sent, err = e.deliver(mail{conversation: g.Conversation, from: string(g.Session), to: to, key: key, replyTo: d.ReplyTo}, m)
	if err != nil {
		return sent, err
	}
	if e.Many() {
		e.flow(g, sent)
	}
	if len(m.Files) > 0 {
		sent.Shared, err = e.share(g, m.Files, to)
	}
	return sent, err
}

// Answers implements sqlstore.MailEntry.
func (e *entry) Answers(g bridge.Gate, id int64) (found bool, err error) {
	err = e.get(`
		SELECT EXISTS (SELECT 1 FROM messages m WHERE m.id = $3 AND m.conversation = $1
		AND (m.sender = $2 OR EXISTS (SELECT 1 FROM inbox i WHERE i.message = m.id AND i.recipient = $2)))`,
		[]any{g.Conversation, string(g.Session), id}, &found)
	return found, err
}

// ForgetShared implements bridge.Store.
func (s *Store) ForgetShared(ctx context.Context, conversation string, session bridge.SessionID, files bridge.Shared) error {
	return s.write(ctx, func(c *conn) (durability, error) {
		plain, sealed := c.box.Forms(sqlstore.SharedPlace(conversation, string(session)), fromShared(files))
		c.later("UPDATE session_status SET shared_files = '{}' WHERE conversation = $1 AND session = $2 AND shared_files IN ($3, $4)",
			conversation, string(session), plain, sealed)
		return relaxed, nil
	})
}

// messageColumns are the columns of a message, except for its number and whether it was
// read.
const messageColumns = "m.sender, k.recipients, m.action_type, m.message, m.files, m.redacted, m.sent_at, m.reply_to"

// allInboxes joins k, which says who received a message m, its number in the first of
// their inboxes, and whether all have read it.
const allInboxes = `
	CROSS JOIN LATERAL (
	    SELECT string_agg(i.recipient, '' ORDER BY i.recipient) AS recipients, (array_agg(i.seq ORDER BY i.recipient))[1] AS seq,
	           bool_and(i.seq <= s.read_seq) AS read
	    FROM inbox i JOIN session_status s ON s.conversation = i.conversation AND s.session = i.recipient
	    WHERE i.message = m.id) k `

// selectMessage selects messages as the operator sees them.
const selectMessage = "SELECT m.id, k.seq, " + messageColumns + ", k.read FROM messages m" + allInboxes + "WHERE m.conversation = $1 "

// selectInbox selects messages as they appear in the inbox of session $2.
const selectInbox = `
	SELECT m.id, o.seq, ` + messageColumns + `, o.seq <= r.read_seq
	FROM inbox o
	JOIN messages m ON m.id = o.message
	JOIN session_status r ON r.conversation = o.conversation AND r.session = o.recipient ` + allInboxes + `
	WHERE o.conversation = $1 AND o.recipient = $2 `

const inboxPage = "AND o.seq > $3 ORDER BY o.seq LIMIT $4"

// selectHistory selects, in a conversation of two, the messages before message $3 as
// session $2 sees them, newest first.
const selectHistory = `
	SELECT m.id, coalesce(o.seq, k.seq), ` + messageColumns + `, coalesce(o.seq <= r.read_seq, k.read)
	FROM messages m
	JOIN session_status r ON r.conversation = $1 AND r.session = $2
	LEFT JOIN inbox o ON o.message = m.id AND o.recipient = $2 ` + allInboxes + `
	WHERE m.conversation = $1 AND m.id < $3 ORDER BY m.id DESC LIMIT $4`

// selectOwn is selectHistory for a conversation of more than two: it selects what the
// session sent or received. Received messages have their numbers in the session's own
// inbox. Ids rise with those numbers, so the last number before $3 is found by halving,
// and the rows read are bounded however much others have sent each other.
const selectOwn = `
	WITH RECURSIVE found (low, high) AS (
	    SELECT 0::bigint, last_seq FROM session_status WHERE conversation = $1 AND session = $2
	    UNION ALL
	    SELECT CASE WHEN before THEN middle ELSE low END, CASE WHEN before THEN high ELSE middle - 1 END FROM (
	        SELECT low, high, (low + high + 1) / 2 AS middle, coalesce((
	            SELECT i.message FROM inbox i WHERE i.conversation = $1 AND i.recipient = $2 AND i.seq = (low + high + 1) / 2), $3) < $3 AS before
	        FROM found WHERE low < high) halved),
	page (id, seq) AS (
	    (SELECT message, NULL::bigint FROM sent WHERE conversation = $1 AND sender = $2 AND message < $3 ORDER BY message DESC LIMIT $4)
	    UNION ALL
	    (SELECT message, seq FROM inbox WHERE conversation = $1 AND recipient = $2
	     AND seq <= (SELECT low FROM found WHERE low = high) ORDER BY seq DESC LIMIT $4))
	SELECT m.id, coalesce(o.seq, k.seq), ` + messageColumns + `, coalesce(o.seq <= r.read_seq, k.read)
	FROM (SELECT id, seq FROM page ORDER BY id DESC LIMIT $4) o
	JOIN messages m ON m.id = o.id
	JOIN session_status r ON r.conversation = $1 AND r.session = $2 ` + allInboxes + `
	ORDER BY m.id DESC`

// History implements bridge.Store. The call is recorded first; the messages are then
// read in a transaction that holds no lock.
func (s *Store) History(ctx context.Context, g bridge.Gate, p bridge.Page) (h bridge.History, err error) {
	before, query := p.Before, selectHistory
	if before == 0 {
		before = math.MaxInt64
	}
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if h.Unread = e.Self.Waiting(g.Now); e.Many() {
			query = selectOwn
		}
		return e.Charge(g.Charges)
	})
	if err != nil {
		return h, err
	}
	err = s.read(ctx, func(c *conn) error {
		h.Messages, h.HasMore, err = sqlstore.ReadMessages(c.sql(), query, []any{g.Conversation, string(g.Session), before, p.Limit + 1}, p.Limit, p.Bytes)
		return err
	})
	slices.Reverse(h.Messages)
	return h, err
}

// lastRunes returns the last limit characters of a text whose beginning may be cut off
// inside a character.
func lastRunes(text string, limit int) string {
	start := len(text)
	for range limit {
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	return text[start:]
}

// Messages implements bridge.Store.
func (s *Store) Messages(ctx context.Context, conversation string, after int64, limit int) (all []bridge.Message, err error) {
	err = s.read(ctx, func(c *conn) error {
		all, _, err = sqlstore.ReadMessages(c.sql(), selectMessage+"AND m.id > $2 ORDER BY m.id LIMIT $3", []any{conversation, after, limit}, limit, 0)
		return err
	})
	return all, err
}

// MessagesBefore implements bridge.Store.
func (s *Store) MessagesBefore(ctx context.Context, conversation string, before int64, limit int) (all []bridge.Message, err error) {
	err = s.read(ctx, func(c *conn) error {
		all, _, err = sqlstore.ReadMessages(c.sql(), selectMessage+"AND m.id < $2 ORDER BY m.id DESC LIMIT $3", []any{conversation, before, limit}, limit, 0)
		return err
	})
	slices.Reverse(all)
	return all, err
}
