package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"unicode/utf8"

	"example.org/bridge/internal/bridge"
)

// AppendMessage implements bridge.Store.
func (s *Store) AppendMessage(ctx context.Context, g bridge.Gate, key string, replyTo int64, rule bridge.MessageRule) (sent bridge.Sent, err error) {
	err = s.pass(ctx, g, durable, func(e *entry) error {
		sent, err = e.repeated(g, key)
		if err != nil {
			return err
		}
		if !sent.Repeated && replyTo != 0 && !e.answers(g, replyTo) {
			return bridge.RefuseReply(g)
		}
		if err := e.charge(g.ChargeFor(sent.Repeated)); err != nil {
			return err
		}
		if sent.Repeated {
			e.op.Details["repeated"] = true
			if sent.Partner, err = e.partner(g); err != nil {
				return err
			}
		} else if sent, err = e.send(g, key, replyTo, rule); err != nil {
			return err
		}
		sent.Unread, sent.Now, sent.Standing = e.self.Waiting(g.Now), g.Now, e.standing(g)
		e.op.Details["message_id"], e.op.Details["seq"] = sent.ID, sent.Seq
		return nil
	})
	return sent, err
}

// send stores what rule makes of a message of g's session.
func (e *entry) send(g bridge.Gate, key string, replyTo int64, rule bridge.MessageRule) (sent bridge.Sent, err error) {
	tail, err := lastText(e.conn, g.Conversation, g.Session, bridge.TailLength)
	if err != nil {
		return sent, err
	}
	m := rule(tail)
	if sent, err = e.appendTo(g.Conversation, string(g.Session), g.Session.Partner(), key, m); err != nil {
		return sent, err
	}
	if replyTo != 0 {
		if _, err := e.exec("UPDATE messages SET reply_to = ? WHERE id = ?", replyTo, sent.ID); err != nil {
			return sent, err
		}
	}
	if len(m.Files) > 0 {
		sent.SharedFiles, err = e.share(g, m.Files)
	}
	return sent, err
}

// answers reports whether a message is one of g's conversation.
func (e *entry) answers(g bridge.Gate, id int64) bool {
	var found int64
	return e.get("SELECT id FROM messages WHERE id = ? AND conversation = ?", []any{id, g.Conversation}, &found) == nil
}

// share returns those of files that g's partner named lately, and keeps them for
// the partner to be told.
func (e *entry) share(g bridge.Gate, files []string) ([]string, error) {
	partner := string(g.Session.Partner())
	var others []string
	var names string
	err := e.each(`
		SELECT files FROM messages WHERE conversation = ? AND recipient = ? AND sender = ? AND sent_at > ? AND files <> '[]'
		ORDER BY seq DESC LIMIT ? + 0`,
		[]any{g.Conversation, string(g.Session), partner, g.Now.Add(-bridge.SharedFor), bridge.SharedAmong}, []any{&names}, func() error {
			others = append(others, fromList(names)...)
			return nil
		})
	shared := bridge.SharedFiles(files, others)
	if err != nil || shared == nil {
		return nil, err
	}
	_, err = e.exec("UPDATE session_status SET shared_files = ? WHERE conversation = ? AND session = ?", list(shared), g.Conversation, partner)
	return shared, err
}

// ForgetShared implements bridge.Store.
func (s *Store) ForgetShared(ctx context.Context, conversation string, session bridge.SessionID, files []string) error {
	return s.write.do(ctx, func(c *conn) (durability, error) {
		_, err := c.exec("UPDATE session_status SET shared_files = '[]' WHERE conversation = ? AND session = ? AND shared_files = ?",
			conversation, string(session), list(files))
		return relaxed, err
	})
}

// partnerColumns are what a sender is told of its partner.
const partnerColumns = "status, seen_at, receipt_id, receipt_at"

func partnerDest(p *bridge.SessionState, status *string) []any {
	return []any{status, &p.SeenAt, &p.ReadID, &p.ReadAt}
}

// partner returns what is known of g's partner, but for its role and its mail.
func (e *entry) partner(g bridge.Gate) (p bridge.SessionState, err error) {
	var status string
	p.Session = g.Session.Partner()
	err = e.get("SELECT "+partnerColumns+" FROM session_status WHERE conversation = ? AND session = ?",
		[]any{g.Conversation, string(p.Session)}, partnerDest(&p, &status)...)
	p.Status = bridge.Status(status)
	return p, err
}

// repeated returns the first answer to an idempotency key, or a zero Sent.
func (e *entry) repeated(g bridge.Gate, key string) (sent bridge.Sent, err error) {
	if key == "" {
		return sent, nil
	}
	var redacted string
	err = e.get(`
		SELECT id, seq, sent_at, redacted, partner_unread FROM messages
		WHERE conversation = ? AND sender = ? AND idempotency_key = ?`,
		[]any{g.Conversation, string(g.Session), key},
		&sent.ID, &sent.Seq, &sent.SentAt, &redacted, &sent.PartnerUnread)
	if errors.Is(err, errNoRow) {
		return bridge.Sent{}, nil
	}
	sent.Repeated, sent.Redacted = true, fromList(redacted)
	return sent, err
}

// appendTo gives m the next number of to's inbox and stores it. The conversation
// must exist. An empty key is none.
func (e *entry) appendTo(conversation, from string, to bridge.SessionID, key string, m bridge.NewMessage) (sent bridge.Sent, err error) {
	var status string
	sent.Partner.Session = to
	err = e.get(`
		UPDATE session_status SET last_seq = last_seq + 1
		WHERE conversation = ? AND session = ? RETURNING last_seq, last_seq - read_seq, `+partnerColumns,
		[]any{conversation, string(to)}, append([]any{&sent.Seq, &sent.PartnerUnread}, partnerDest(&sent.Partner, &status)...)...)
	sent.Partner.Status = bridge.Status(status)
	if err != nil {
		return sent, err
	}
	var once any
	if key != "" {
		once = key
	}
	result, err := e.exec(`
		INSERT INTO messages (conversation, recipient, seq, sender, action_type, message, files, redacted, sent_at, idempotency_key, partner_unread)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		conversation, string(to), sent.Seq, from, string(m.Action), m.Text, list(m.Files), list(m.Redacted), e.op.Now, once, sent.PartnerUnread)
	if err != nil {
		return sent, err
	}
	e.head.usage.Messages++
	sent.SentAt, sent.Redacted = e.op.Now, m.Redacted
	sent.ID, err = result.LastInsertId()
	return sent, err
}

// senderColumn is who sent a message: the operator's own are the bridge's, marked.
const senderColumn = "CASE m.operator WHEN 1 THEN 'operator' ELSE m.sender END"

const selectMessage = `
	SELECT m.id, m.seq, ` + senderColumn + `, m.recipient, m.action_type, m.message, m.files, m.redacted, m.sent_at,
	       m.reply_to, m.seq <= s.read_seq
	FROM messages m JOIN session_status s ON s.conversation = m.conversation AND s.session = m.recipient
	WHERE m.conversation = ?1 `

// messageRow is where a row of selectMessage is read into.
type messageRow struct {
	bridge.Message
	to, action, files, redacted string
	read                        int64
}

func (r *messageRow) dest() []any {
	return []any{&r.ID, &r.Seq, &r.From, &r.to, &r.action, &r.Text, &r.files, &r.redacted, &r.SentAt, &r.ReplyTo, &r.read}
}

func (r *messageRow) message() bridge.Message {
	m := r.Message
	m.To, m.Action = bridge.SessionID(r.to), bridge.ActionType(r.action)
	m.Files, m.Redacted, m.Read = fromList(r.files), fromList(r.redacted), r.read != 0
	return m
}

// listMessages reads messages until there are limit of them, or until the next
// one would make them longer than bytes (0: no bound). more says whether
// there was a next one.
func listMessages(c *conn, where string, args []any, limit, bytes int) (all []bridge.Message, more bool, err error) {
	var row messageRow
	size := 0
	err = c.each(selectMessage+where, args, row.dest(), func() error {
		size += len(row.Text) + len(row.files)
		if len(all) == limit || bytes > 0 && len(all) > 0 && size > bytes {
			more = true
			return errStop
		}
		all = append(all, row.message())
		return nil
	})
	return all, more, err
}

// History implements bridge.Store.
func (s *Store) History(ctx context.Context, g bridge.Gate, p bridge.Page) (h bridge.History, err error) {
	before := p.Before
	if before == 0 {
		before = math.MaxInt64
	}
	err = s.pass(ctx, g, relaxed, func(e *entry) error {
		if err := e.chargeCall(); err != nil {
			return err
		}
		h.Unread = e.self.Waiting(g.Now)
		h.Messages, h.HasMore, err = listMessages(e.conn,
			"AND m.id < ?2 ORDER BY m.id DESC LIMIT ?3 + 0", []any{g.Conversation, before, p.Limit + 1}, p.Limit, p.Bytes)
		slices.Reverse(h.Messages)
		e.op.Details["messages"] = len(h.Messages)
		return err
	})
	return h, err
}

// lastText returns the last limit characters of the last message that a session
// sent, or "". A session's own messages are all in its partner's inbox, whose
// last number leads to the last of them. They are cut as bytes, because SQLite
// takes a NUL for the end of a text.
func lastText(c *conn, conversation string, from bridge.SessionID, limit int) (string, error) {
	var end []byte
	err := c.get(`
		SELECT substr(CAST(message AS BLOB), -?4) FROM messages
		WHERE conversation = ?1 AND recipient = ?2 AND sender = ?3 ORDER BY seq DESC LIMIT 1`,
		[]any{conversation, string(from.Partner()), string(from), limit * utf8.UTFMax}, &end)
	if errors.Is(err, errNoRow) {
		return "", nil
	}
	return lastRunes(end, limit), err
}

// lastRunes is the end of a text of which the beginning may be cut off.
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

// list is how a list of strings is stored.
func list(items []string) string {
	if len(items) == 0 {
		return "[]"
	}
	encoded, _ := json.Marshal(items) // strings always encode
	return string(encoded)
}

// fromList reads it back. A damaged list must not keep its message from being
// delivered: it comes out as what is there.
func fromList(text string) []string {
	var items []string
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return []string{text}
	}
	if len(items) == 0 {
		return nil
	}
	return items
}
