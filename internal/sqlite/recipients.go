package sqlite

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// A message is stored once. Its row has its number in the inbox of its first recipient;
// the table copies has a row for each further recipient.

// Deliver implements sqlstore.MailEntry. Messages of the operator are stored as the
// bridge's own with a mark.
func (e *entry) Deliver(conversation, from string, to bridge.Recipients, m bridge.NewMessage) (bridge.Sent, error) {
	sent, err := e.deliver(conversation, bridge.System, to, "", m)
	if err == nil && from == bridge.Operator {
		_, err = e.exec("UPDATE messages SET operator = 1 WHERE id = ?", sent.ID)
	}
	return sent, err
}

// deliver stores m for all sessions in to. An empty key means none.
func (e *entry) deliver(conversation, from string, to bridge.Recipients, key string, m bridge.NewMessage) (sent bridge.Sent, err error) {
	if sent, err = e.appendTo(conversation, from, to[0], key, m); err != nil {
		return sent, err
	}
	for _, session := range to[1:] {
		further, err := e.copyTo(conversation, session, sent.ID)
		if err != nil {
			return sent, err
		}
		sent.Further = append(sent.Further, further)
	}
	if len(to) > 1 {
		_, err = e.exec("UPDATE conversations SET copies = copies + ? WHERE id = ?", len(to)-1, conversation)
	}
	return sent, err
}

// copyTo assigns a message the next number of another recipient's inbox.
func (e *entry) copyTo(conversation string, to bridge.SessionID, message int64) (r bridge.Recipient, err error) {
	if r.Seq, r.Unread, err = e.nextSeq(conversation, to, &r.SessionState); err != nil {
		return r, err
	}
	_, err = e.exec("INSERT INTO copies (conversation, recipient, seq, message, partner_unread) VALUES (?, ?, ?, ?, ?)",
		conversation, string(to), r.Seq, message, r.Unread)
	return r, err
}

// nextSeq takes the next number of a session's inbox. It returns the number of unread
// messages including the new one, and fills state with what a sender is told about the
// session.
func (e *entry) nextSeq(conversation string, to bridge.SessionID, state *bridge.SessionState) (seq, unread int64, err error) {
	var status string
	err = e.get(`
		UPDATE session_status SET last_seq = last_seq + 1
		WHERE conversation = ? AND session = ? RETURNING last_seq, last_seq - read_seq, `+partnerColumns,
		[]any{conversation, string(to)}, append([]any{&seq, &unread}, partnerDest(state, &status)...)...)
	state.Session, state.Status = to, bridge.Status(status)
	return seq, unread, err
}

// copiesOf adds the further recipients to the first answer to an idempotency key.
func (e *entry) copiesOf(sent *bridge.Sent) error {
	var r bridge.Recipient
	var session string
	return e.each("SELECT recipient, seq, partner_unread FROM copies WHERE message = ? ORDER BY recipient",
		[]any{sent.ID}, []any{&session, &r.Seq, &r.Unread}, func() error {
			r.Session = bridge.SessionID(session)
			sent.Further = append(sent.Further, r)
			return nil
		})
}

// tails returns the end of the last message that g's session sent, and of the last one
// that it sent to each of to. They are checked together with a new message, so that the
// parts of a split secret meet neither in one inbox nor for a reader of all inboxes.
func (e *entry) tails(g bridge.Gate, to bridge.Recipients, limit int) ([]string, error) {
	if !e.Many() {
		tail, err := lastText(e.conn, g.Conversation, g.Session, to[0], limit)
		return []string{tail}, err
	}
	var session string
	var id, newest int64
	ids := map[int64]bool{}
	err := e.each("SELECT recipient, sent_id FROM flows WHERE conversation = ? AND sender = ? AND sent_id > 0",
		[]any{g.Conversation, string(g.Session)}, []any{&session, &id}, func() error {
			if newest = max(newest, id); slices.Contains(to, bridge.SessionID(session)) {
				ids[id] = true
			}
			return nil
		})
	if err != nil || newest == 0 {
		return nil, err
	}
	ids[newest] = true
	var tails []string
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		tail, err := textEnd(e.conn, "WHERE id = ?2", limit, id)
		if err != nil {
			return nil, err
		}
		tails = append(tails, tail)
	}
	return tails, nil
}

// flow records that g's session sent a message, and who received it.
func (e *entry) flow(g bridge.Gate, sent bridge.Sent) error {
	for _, session := range sent.Recipients() {
		_, err := e.exec(`
			INSERT INTO flows (conversation, sender, recipient, sent_id, unread) VALUES (?1, ?2, ?3, ?4, 1)
			ON CONFLICT (conversation, sender, recipient) DO UPDATE SET sent_id = ?4, unread = unread + 1`,
			g.Conversation, string(g.Session), string(session), sent.ID)
		if err != nil {
			return err
		}
	}
	_, err := e.exec("INSERT INTO sent (conversation, sender, message) VALUES (?, ?, ?)", g.Conversation, string(g.Session), sent.ID)
	return err
}

// FirstFlows implements sqlstore.MailEntry. Before a third session joins, it records
// what the two sessions of a conversation have sent each other and read.
func (e *entry) FirstFlows(conversation string) error {
	for from, to := range map[bridge.SessionID]bridge.SessionID{bridge.SessionA: bridge.SessionB, bridge.SessionB: bridge.SessionA} {
		var last int64
		err := e.get("SELECT id FROM messages WHERE conversation = ? AND recipient = ? AND sender = ? ORDER BY seq DESC LIMIT 1",
			[]any{conversation, string(to), string(from)}, &last)
		if err != nil && !errors.Is(err, errNoRow) {
			return err
		}
		_, err = e.exec(`
			INSERT INTO flows (conversation, sender, recipient, sent_id, read_id, read_at, unread)
			SELECT conversation, ?2, session, ?4, receipt_id, receipt_at, (
			    SELECT count(*) FROM messages m WHERE m.conversation = ?1 AND m.recipient = ?3 AND m.seq > read_seq AND m.sender = ?2)
			FROM session_status WHERE conversation = ?1 AND session = ?3
			ON CONFLICT (conversation, sender, recipient) DO NOTHING`,
			conversation, string(from), string(to), last)
		if err != nil {
			return err
		}
	}
	_, err := e.exec("INSERT OR IGNORE INTO sent (conversation, sender, message) "+allSent+" AND conversation = ?", conversation)
	return err
}

// unreadOfFlow counts the unread messages that a row of the table flows describes.
const unreadOfFlow = `(
	    SELECT count(*) FROM messages m
	    JOIN session_status s ON s.conversation = m.conversation AND s.session = m.recipient
	    WHERE m.conversation = flows.conversation AND m.recipient = flows.recipient AND m.sender = flows.sender AND m.seq > s.read_seq) + (
	    SELECT count(*) FROM copies k JOIN messages m ON m.id = k.message
	    JOIN session_status s ON s.conversation = k.conversation AND s.session = k.recipient
	    WHERE k.conversation = flows.conversation AND k.recipient = flows.recipient AND m.sender = flows.sender AND k.seq > s.read_seq)`

// countUnread recomputes the unread counts in the table flows.
const countUnread = "UPDATE flows SET unread = " + unreadOfFlow

// wrongUnread finds rows of the table flows whose unread count is wrong.
const wrongUnread = "SELECT conversation, sender, recipient, unread, " + unreadOfFlow + " AS counted FROM flows WHERE unread <> counted LIMIT 10"

// allSent selects the rows of the table sent from the messages.
const allSent = "SELECT conversation, sender, id FROM messages WHERE sender GLOB '[a-z]'"

// ReadMarks implements sqlstore.MailEntry.
func (e *entry) ReadMarks(conversation string, sender bridge.SessionID, roster bridge.Roster) error {
	for i := range roster {
		if s := &roster[i]; s.Session != sender {
			s.ReadID, s.ReadAt, s.UnreadOfCaller = 0, time.Time{}, new(int64)
		}
	}
	var session string
	var of bridge.SessionState
	var unread int64
	return e.each("SELECT recipient, read_id, read_at, unread FROM flows WHERE conversation = ? AND sender = ?",
		[]any{conversation, string(sender)}, []any{&session, &of.ReadID, &of.ReadAt, &unread}, func() error {
			i := slices.IndexFunc(roster, func(s bridge.SessionState) bool { return string(s.Session) == session })
			if i >= 0 && roster[i].Session != sender {
				roster[i].ReadID, roster[i].ReadAt, *roster[i].UnreadOfCaller = of.ReadID, of.ReadAt, unread
			}
			return nil
		})
}

// unionInbox selects seq and id of the messages in the inbox of session ?2 of
// conversation ?1 whose seq fulfils the condition where. order may be empty.
func unionInbox(where, order string) string {
	return fmt.Sprintf(`
		SELECT seq, id FROM messages WHERE conversation = ?1 AND recipient = ?2 AND %[1]s
		UNION ALL
		SELECT seq, message FROM copies WHERE conversation = ?1 AND recipient = ?2 AND %[1]s %[2]s`, where, order)
}

// shareWithMany is share for a conversation of more than two. Each recipient is told of
// those files that it has itself named to g's session.
func (e *entry) shareWithMany(g bridge.Gate, files []string, to bridge.Recipients) (shared bridge.Shared, err error) {
	named := sqlstore.NewNamed(int(e.Sessions) - 1)
	var id int64
	var sender, names string
	err = e.each(`
		SELECT m.id, m.sender, m.files FROM (`+unionInbox("seq > 0", "ORDER BY 1 DESC LIMIT ?4 + 0")+`) i JOIN messages m ON m.id = i.id
		WHERE m.sent_at > ?3 AND m.files <> '[]'`,
		[]any{g.Conversation, string(g.Session), g.Now.Add(-bridge.SharedFor), bridge.SharedAmong}, []any{&id, &sender, &names}, func() error {
			return named.Read(e.sql(), g.Conversation, sender, id, names)
		})
	if err != nil {
		return nil, err
	}
	for _, session := range to {
		both := bridge.SharedFiles(files, named.By(session))
		if both == nil {
			continue
		}
		if err := e.keepShared(g.Conversation, session, g.Session, both); err != nil {
			return nil, err
		}
		shared = shared.With(session, both)
	}
	return shared, nil
}
