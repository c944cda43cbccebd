package sqlite

import (
	"context"
	"errors"
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// Send implements sqlstore.MailEntry.
func (e *entry) Send(g bridge.Gate, key string, to bridge.Recipients, d bridge.Draft) (sent bridge.Sent, err error) {
	tails, err := e.tails(g, to, bridge.TailLength)
	if err != nil {
		return sent, err
	}
	m := d.Text(tails)
	if sent, err = e.deliver(g.Conversation, string(g.Session), to, key, m); err != nil {
		return sent, err
	}
	if e.Many() {
		if err := e.flow(g, sent); err != nil {
			return sent, err
		}
	}
	if d.ReplyTo != 0 {
		if _, err := e.exec("UPDATE messages SET reply_to = ? WHERE id = ?", d.ReplyTo, sent.ID); err != nil {
			return sent, err
		}
	}
	switch {
	case len(m.Files) == 0:
	case e.Many():
		sent.Shared, err = e.shareWithMany(g, m.Files, to)
	default:
		sent.Shared, err = e.share(g, m.Files, to[0])
	}
	return sent, err
}

// Answers implements sqlstore.MailEntry.
func (e *entry) Answers(g bridge.Gate, id int64) (found bool, err error) {
	err = e.get("SELECT EXISTS (SELECT 1 FROM messages m WHERE m.id = ?3 AND m.conversation = ?1 AND "+ofSession+")",
		[]any{g.Conversation, string(g.Session), id}, &found)
	return found, err
}

// ofSession is true for a message m that session ?2 sent or received.
const ofSession = `(m.sender = ?2 OR m.recipient = ?2 OR EXISTS (SELECT 1 FROM copies k WHERE k.message = m.id AND k.recipient = ?2))`

// share returns those of files that g's partner has named recently, and stores them so
// that the partner is told as well.
func (e *entry) share(g bridge.Gate, files []string, partner bridge.SessionID) (bridge.Shared, error) {
	others := sqlstore.NewNamed(1)
	var id int64
	var names string
	err := e.each(`
		SELECT id, files FROM messages WHERE conversation = ? AND recipient = ? AND sender = ? AND sent_at > ? AND files <> '[]'
		ORDER BY seq DESC LIMIT ? + 0`,
		[]any{g.Conversation, string(g.Session), string(partner), g.Now.Add(-bridge.SharedFor), bridge.SharedAmong}, []any{&id, &names}, func() error {
			return others.Read(e.sql(), g.Conversation, string(partner), id, names)
		})
	shared := bridge.SharedFiles(files, others.By(partner))
	if err != nil || shared == nil {
		return nil, err
	}
	return bridge.Shared{"": shared}, e.keepShared(g.Conversation, partner, "", shared)
}

// ForgetShared implements bridge.Store.
func (s *Store) ForgetShared(ctx context.Context, conversation string, session bridge.SessionID, files bridge.Shared) error {
	return s.write.do(ctx, func(c *conn) (durability, error) {
		plain, sealed := c.cipher.Box.Forms(sqlstore.SharedPlace(conversation, string(session)), fromShared(files))
		_, err := c.exec("UPDATE session_status SET shared_files = '[]' WHERE conversation = ? AND session = ? AND shared_files IN (?, ?)",
			conversation, string(session), plain, sealed)
		return relaxed, err
	})
}

// keepShared adds files named by another session to those that a session has yet to be
// told of.
func (e *entry) keepShared(conversation string, session, other bridge.SessionID, files []string) error {
	var kept string
	of := []any{conversation, string(session)}
	if err := e.get("SELECT shared_files FROM session_status WHERE conversation = ? AND session = ?", of, &kept); err != nil {
		return err
	}
	all := toShared(e.openShared(conversation, session, kept)).With(other, files)
	stored := e.cipher.Fixed(sqlstore.SharedPlace(conversation, string(session)), fromShared(all))
	_, err := e.exec("UPDATE session_status SET shared_files = ?3 WHERE conversation = ?1 AND session = ?2", append(of, stored)...)
	return err
}

// partnerColumns are what a sender is told about its partner.
const partnerColumns = "status, seen_at, receipt_id, receipt_at"

func partnerDest(p *bridge.SessionState, status *string) []any {
	return []any{status, &p.SeenAt, &p.ReadID, &p.ReadAt}
}

// partners completes the stored first answer with the present state of the recipients,
// except for their roles and inbox counts.
func (e *entry) partners(g bridge.Gate, sent *bridge.Sent) error {
	all := []*bridge.SessionState{&sent.Partner}
	for i := range sent.Further {
		all = append(all, &sent.Further[i].SessionState)
	}
	for _, p := range all {
		var status string
		err := e.get("SELECT "+partnerColumns+" FROM session_status WHERE conversation = ? AND session = ?",
			[]any{g.Conversation, string(p.Session)}, partnerDest(p, &status)...)
		if err != nil {
			return err
		}
		p.Status = bridge.Status(status)
	}
	return nil
}

// Repeated implements sqlstore.MailEntry.
func (e *entry) Repeated(g bridge.Gate, key string) (sent bridge.Sent, err error) {
	if key == "" {
		return sent, nil
	}
	var recipient, redacted string
	err = e.get(`
		SELECT id, recipient, seq, sent_at, redacted, partner_unread FROM messages
		WHERE conversation = ? AND sender = ? AND idempotency_key = ?`,
		[]any{g.Conversation, string(g.Session), key},
		&sent.ID, &recipient, &sent.Seq, &sent.SentAt, &redacted, &sent.PartnerUnread)
	if errors.Is(err, errNoRow) {
		return bridge.Sent{}, nil
	}
	sent.Repeated, sent.Redacted, sent.Partner.Session = true, sqlstore.FromList(redacted), bridge.SessionID(recipient)
	if err == nil && e.Many() {
		err = e.copiesOf(&sent)
	}
	if err != nil {
		return sent, err
	}
	err = e.partners(g, &sent)
	return sent, err
}

// appendTo stores m under the next number of to's inbox. The conversation must exist.
// An empty key means none.
func (e *entry) appendTo(conversation, from string, to bridge.SessionID, key string, m bridge.NewMessage) (sent bridge.Sent, err error) {
	if sent.Seq, sent.PartnerUnread, err = e.nextSeq(conversation, to, &sent.Partner); err != nil {
		return sent, err
	}
	id, text, files, err := e.textsOf(conversation, m)
	if err != nil {
		return sent, err
	}
	result, err := e.exec(`
		INSERT INTO messages (id, conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, idempotency_key, partner_unread)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, conversation, string(to), sent.Seq, from, string(m.Action), text, files, sqlstore.List(m.Redacted), e.Operation.Now, sqlstore.OrNull(key), sent.PartnerUnread)
	if err != nil {
		return sent, err
	}
	e.head.usage.Messages++
	sent.SentAt, sent.Redacted = e.Operation.Now, m.Redacted
	sent.ID, err = result.LastInsertId()
	return sent, err
}

// textsOf returns the stored form of a new message's texts, and its id. Sealed texts
// are bound to the id, so it is predicted as SQLite would assign it
// (https://www.sqlite.org/autoinc.html). If nothing is sealed the id is nil, and SQLite
// assigns it.
func (e *entry) textsOf(conversation string, m bridge.NewMessage) (id any, text, files string, err error) {
	if !e.cipher.State.Seals() {
		return nil, atrest.Clear(m.Text), sqlstore.List(m.Files), nil
	}
	var next int64
	err = e.get("SELECT coalesce(max(id), 0) + 1 FROM messages", nil, &next)
	text = e.cipher.Text(sqlstore.MessagePlace("message", conversation, next), m.Text)
	return next, text, sqlstore.SealList(e.cipher, sqlstore.MessagePlace("files", conversation, next), m.Files), err
}

// senderColumn is the sender of a message. Messages of the operator are stored as the
// bridge's own with a mark.
const senderColumn = "CASE m.operator WHEN 1 THEN 'operator' ELSE m.sender END"

// messageColumns are the columns of a message, except for its number and whether it was
// read.
const messageColumns = senderColumn + `, m.recipient || coalesce((SELECT group_concat(k.recipient, '') FROM copies k WHERE k.message = m.id), ''),
	m.action_type, m.message, m.files, m.redacted, m.sent_at, m.reply_to`

// readByAll is true for a message that every recipient has read.
const readByAll = `m.seq <= s.read_seq AND NOT EXISTS (
	SELECT 1 FROM copies k JOIN session_status t ON t.conversation = k.conversation AND t.session = k.recipient
	WHERE k.message = m.id AND k.seq > t.read_seq)`

// selectMessage selects messages as their sender and the operator see them.
const selectMessage = `
	SELECT m.id, m.seq, ` + messageColumns + `, ` + readByAll + `
	FROM messages m JOIN session_status s ON s.conversation = m.conversation AND s.session = m.recipient
	WHERE m.conversation = ?1 `

// selectInbox selects messages as they appear in the inbox of session ?2, in a
// conversation of more than two.
var selectInbox = `
	SELECT m.id, i.seq, ` + messageColumns + `, i.seq <= s.read_seq
	FROM (` + unionInbox("seq > ?3", "ORDER BY 1 LIMIT ?4 + 0") + `) i
	CROSS JOIN messages m ON m.id = i.id
	JOIN session_status s ON s.conversation = ?1 AND s.session = ?2`

// selectHistory selects, in a conversation of more than two, what session ?2 sent or
// received before message ?3, newest first. Received messages have their numbers in the
// session's own inbox. Ids rise with those numbers, so the last number before ?3 is
// found by steps that start at ?5 and are halved. The rows read are therefore bounded
// however much others have sent each other.
const selectHistory = `
	WITH RECURSIVE found (low, step) AS (
	    VALUES (0, ?5)
	    UNION ALL
	    SELECT low + iif(min(
	        coalesce((SELECT id FROM messages WHERE conversation = ?1 AND recipient = ?2 AND seq >= low + step ORDER BY seq LIMIT 1), ?3),
	        coalesce((SELECT message FROM copies WHERE conversation = ?1 AND recipient = ?2 AND seq >= low + step ORDER BY seq LIMIT 1), ?3)
	    ) < ?3, step, 0), step / 2 FROM found WHERE step > 0),
	page (id, seq) AS (
	    SELECT * FROM (SELECT message, NULL FROM sent WHERE conversation = ?1 AND sender = ?2 AND message < ?3 ORDER BY message DESC LIMIT ?4 + 0)
	    UNION ALL
	    SELECT * FROM (SELECT id, seq FROM messages WHERE conversation = ?1 AND recipient = ?2
	        AND seq <= (SELECT low FROM found WHERE step = 0) ORDER BY seq DESC LIMIT ?4 + 0)
	    UNION ALL
	    SELECT * FROM (SELECT message, seq FROM copies WHERE conversation = ?1 AND recipient = ?2
	        AND seq <= (SELECT low FROM found WHERE step = 0) ORDER BY seq DESC LIMIT ?4 + 0))
	SELECT m.id, coalesce(o.seq, m.seq), ` + messageColumns + `,
	       CASE WHEN o.seq IS NULL THEN ` + readByAll + ` ELSE o.seq <= r.read_seq END
	FROM (SELECT id, seq FROM page ORDER BY id DESC LIMIT ?4 + 0) o CROSS JOIN messages m ON m.id = o.id
	JOIN session_status s ON s.conversation = m.conversation AND s.session = m.recipient
	JOIN session_status r ON r.conversation = ?1 AND r.session = ?2`

// InboxAfter implements sqlstore.MailEntry.
func (e *entry) InboxAfter(g bridge.Gate, after int64, p bridge.Page) ([]bridge.Message, bool, error) {
	query := selectMessage + "AND m.recipient = ?2 AND m.seq > ?3 ORDER BY m.seq LIMIT ?4 + 0"
	if e.Many() {
		query = selectInbox
	}
	return sqlstore.ReadMessages(e.sql(), query, []any{g.Conversation, string(g.Session), after, p.Limit + 1}, p.Limit, p.Bytes)
}

// listMessages returns the messages that where selects.
func listMessages(c *conn, where string, args []any, limit, bytes int) (all []bridge.Message, more bool, err error) {
	return sqlstore.ReadMessages(c.sql(), selectMessage+where, args, limit, bytes)
}

// History implements bridge.Store. The call is recorded first; the messages are then
// read in a transaction that does not block writers.
func (s *Store) History(ctx context.Context, g bridge.Gate, p bridge.Page) (h bridge.History, err error) {
	before := p.Before
	if before == 0 {
		before = math.MaxInt64
	}
	query, args := selectMessage+"AND m.id < ?3 ORDER BY m.id DESC LIMIT ?4 + 0", []any{g.Conversation, string(g.Session), before, p.Limit + 1}
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if e.Many() {
			query, args = selectHistory, append(args, int64(1)<<bits.Len64(uint64(e.Self.LastSeq)))
		}
		h.Unread = e.Self.Waiting(g.Now)
		return e.Charge(g.Charges)
	})
	if err != nil {
		return h, err
	}
	err = s.read.do(ctx, func(c *conn) error {
		h.Messages, h.HasMore, err = sqlstore.ReadMessages(c.sql(), query, args, p.Limit, p.Bytes)
		return err
	})
	slices.Reverse(h.Messages)
	return h, err
}

// lastText returns the last limit characters of the last message that a session sent in
// a conversation of two, or "". All its messages are in its partner's inbox, so the
// index on that inbox leads to the last one.
func lastText(c *conn, conversation string, from, partner bridge.SessionID, limit int) (string, error) {
	return textEnd(c, "WHERE conversation = ?2 AND recipient = ?3 AND sender = ?4 ORDER BY seq DESC LIMIT 1", limit,
		conversation, string(partner), string(from))
}

// textEnd returns the last limit characters of a message, or "". The text is cut as
// bytes, because SQLite's substr takes a NUL as the end of a text.
func textEnd(c *conn, where string, limit int, args ...any) (string, error) {
	if c.cipher.State != atrest.Off {
		return sealedEnd(c, where, limit, args...)
	}
	var end []byte
	err := c.get("SELECT substr(CAST(message AS BLOB), -?1) FROM messages "+where, append([]any{limit * utf8.UTFMax}, args...), &end)
	if errors.Is(err, errNoRow) {
		return "", nil
	}
	return lastRunes(end, limit), err
}

// sealedEnd is textEnd for a store with sealed texts, which must be read whole.
func sealedEnd(c *conn, where string, limit int, args ...any) (string, error) {
	var id int64
	var conversation, text string
	err := c.get("SELECT id, conversation, message FROM messages "+where, append([]any{limit}, args...), &id, &conversation, &text)
	if errors.Is(err, errNoRow) {
		return "", nil
	}
	text = sqlstore.Shown(c.sql(), sqlstore.MessagePlace("message", conversation, id), text)
	return lastRunes([]byte(text), limit), err
}

// lastRunes returns the last limit characters of a text whose beginning may be cut off
// inside a character.
func lastRunes(text []byte, limit int) string {
	start := len(text)
	for range limit {
		_, size := utf8.DecodeLastRune(text[:start])
		start -= size
	}
	return string(text[start:])
}

// Messages implements bridge.Store.
func (s *Store) Messages(ctx context.Context, conversation string, after int64, limit int) (all []bridge.Message, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		all, _, err = listMessages(c, "AND m.id > ?2 ORDER BY m.id LIMIT ?3 + 0", []any{conversation, after, limit}, limit, 0)
		return err
	})
	return all, err
}

// MessagesBefore implements bridge.Store.
func (s *Store) MessagesBefore(ctx context.Context, conversation string, before int64, limit int) (all []bridge.Message, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		all, _, err = listMessages(c, "AND m.id < ?2 ORDER BY m.id DESC LIMIT ?3 + 0", []any{conversation, before, limit}, limit, 0)
		return err
	})
	slices.Reverse(all)
	return all, err
}
