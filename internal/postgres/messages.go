package postgres

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
	sent, err = e.appendTo(mail{conversation: g.Conversation, from: string(g.Session), to: g.Session.Partner(), key: key, replyTo: replyTo}, m)
	if err == nil && len(m.Files) > 0 {
		sent.SharedFiles, err = e.share(g, m.Files)
	}
	return sent, err
}

// answers reports whether a message is one of g's conversation.
func (e *entry) answers(g bridge.Gate, id int64) bool {
	var found int64
	return e.get("SELECT id FROM messages WHERE id = $1 AND conversation = $2", []any{id, g.Conversation}, &found) == nil
}

// share returns those of files that g's partner named lately, and keeps them for
// the partner to be told.
func (e *entry) share(g bridge.Gate, files []string) ([]string, error) {
	partner := string(g.Session.Partner())
	var others []string
	var names string
	err := e.each(`
		SELECT m.files FROM messages m
		WHERE m.conversation = $1 AND m.sender = $2 AND m.sent_at > $3 AND m.files <> '[]' ORDER BY m.id DESC LIMIT $4`,
		[]any{g.Conversation, partner, g.Now.Add(-bridge.SharedFor), bridge.SharedAmong}, []any{&names}, func() error {
			others = append(others, fromList(names)...)
			return nil
		})
	shared := bridge.SharedFiles(files, others)
	if err != nil || shared == nil {
		return nil, err
	}
	e.later("UPDATE session_status SET shared_files = $1 WHERE conversation = $2 AND session = $3", list(shared), g.Conversation, partner)
	return shared, nil
}

// ForgetShared implements bridge.Store.
func (s *Store) ForgetShared(ctx context.Context, conversation string, session bridge.SessionID, files []string) error {
	return s.write(ctx, func(c *conn) (durability, error) {
		c.later("UPDATE session_status SET shared_files = '[]' WHERE conversation = $1 AND session = $2 AND shared_files = $3",
			conversation, string(session), list(files))
		return relaxed, nil
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
	err = e.get("SELECT "+partnerColumns+" FROM session_status WHERE conversation = $1 AND session = $2",
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
		SELECT m.id, i.seq, m.sent_at, m.redacted, i.partner_unread FROM messages m JOIN inbox i ON i.message = m.id
		WHERE m.conversation = $1 AND m.sender = $2 AND m.idempotency_key = $3`,
		[]any{g.Conversation, string(g.Session), key},
		&sent.ID, &sent.Seq, &sent.SentAt, &redacted, &sent.PartnerUnread)
	if errors.Is(err, errNoRow) {
		return bridge.Sent{}, nil
	}
	sent.Repeated, sent.Redacted = true, fromList(redacted)
	return sent, err
}

// mail is where a message goes. An empty key is none, a replyTo of 0 too.
type mail struct {
	conversation, from string
	to                 bridge.SessionID
	key                string
	replyTo            int64
}

// appendTo gives m the next number of an inbox and stores it. The conversation
// must exist, and its chain be locked.
func (e *entry) appendTo(to mail, m bridge.NewMessage) (sent bridge.Sent, err error) {
	var status string
	sent.Partner.Session = to.to
	err = e.get(`
		UPDATE session_status SET last_seq = last_seq + 1
		WHERE conversation = $1 AND session = $2 RETURNING last_seq, last_seq - read_seq, `+partnerColumns,
		[]any{to.conversation, string(to.to)}, append([]any{&sent.Seq, &sent.PartnerUnread}, partnerDest(&sent.Partner, &status)...)...)
	sent.Partner.Status = bridge.Status(status)
	if err != nil {
		return sent, err
	}
	err = e.get(`
		INSERT INTO messages (conversation, sender, action_type, message, files, redacted, sent_at, reply_to, idempotency_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		[]any{to.conversation, to.from, string(m.Action), m.Text, list(m.Files), list(m.Redacted), e.op.Now, to.replyTo, unlessEmpty(to.key)}, &sent.ID)
	if err != nil {
		return sent, err
	}
	e.later("INSERT INTO inbox (conversation, recipient, seq, message, partner_unread) VALUES ($1, $2, $3, $4, $5)",
		to.conversation, string(to.to), sent.Seq, sent.ID, sent.PartnerUnread)
	e.count(to.conversation, 0, 1)
	sent.SentAt, sent.Redacted = e.op.Now, m.Redacted
	return sent, nil
}

// unlessEmpty is NULL for nothing.
func unlessEmpty(text string) any {
	if text == "" {
		return nil
	}
	return text
}

const selectMessage = `
	SELECT m.id, i.seq, m.sender, i.recipient, m.action_type, m.message, m.files, m.redacted, m.sent_at, m.reply_to, i.seq <= s.read_seq
	FROM messages m
	JOIN inbox i ON i.message = m.id
	JOIN session_status s ON s.conversation = i.conversation AND s.session = i.recipient
	WHERE m.conversation = $1 AND i.conversation = $1 `

// messageRow is where a row of selectMessage is read into.
type messageRow struct {
	bridge.Message
	to, action, files, redacted string
}

func (r *messageRow) dest() []any {
	return []any{&r.ID, &r.Seq, &r.From, &r.to, &r.action, &r.Text, &r.files, &r.redacted, &r.SentAt, &r.ReplyTo, &r.Read}
}

func (r *messageRow) message() bridge.Message {
	m := r.Message
	m.To, m.Action = bridge.SessionID(r.to), bridge.ActionType(r.action)
	m.Files, m.Redacted = fromList(r.files), fromList(r.redacted)
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
			"AND m.id < $2 ORDER BY m.id DESC LIMIT $3", []any{g.Conversation, before, p.Limit + 1}, p.Limit, p.Bytes)
		slices.Reverse(h.Messages)
		e.op.Details["messages"] = len(h.Messages)
		return err
	})
	return h, err
}

// lastText returns the last limit characters of the last message that a session
// sent, or "". A character may take four in the store (quote).
func lastText(c *conn, conversation string, from bridge.SessionID, limit int) (string, error) {
	var end string
	err := c.get("SELECT right(message, $3) FROM messages WHERE conversation = $1 AND sender = $2 ORDER BY id DESC LIMIT 1",
		[]any{conversation, string(from), 4*limit + 4}, &end)
	if errors.Is(err, errNoRow) {
		return "", nil
	}
	return lastRunes(end, limit), err
}

// lastRunes is the end of a text of which the beginning may be cut off.
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
		all, _, err = listMessages(c, "AND m.id > $2 ORDER BY m.id LIMIT $3", []any{conversation, after, limit}, limit, 0)
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
