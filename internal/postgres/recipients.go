package postgres

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// A message is stored once, and has a row in the inbox of each recipient.

// mail is where a message goes. An empty key and a replyTo of 0 mean none.
type mail struct {
	conversation, from string
	to                 bridge.Recipients
	key                string
	replyTo            int64
}

// Deliver implements sqlstore.MailEntry.
func (e *entry) Deliver(conversation, from string, to bridge.Recipients, m bridge.NewMessage) (bridge.Sent, error) {
	return e.deliver(mail{conversation: conversation, from: from, to: to}, m)
}

// deliver stores m for all its recipients, or returns errNoRow if one of them does not
// exist. The chain of the conversation must be locked.
func (e *entry) deliver(to mail, m bridge.NewMessage) (sent bridge.Sent, err error) {
	var got []bridge.Recipient
	e.nextSeqs(to.conversation, to.to, &got)
	if sent.ID, err = e.insertMessage(to, m); err != nil {
		return sent, err
	}
	if len(got) < len(to.to) {
		return sent, errNoRow
	}
	slices.SortFunc(got, func(a, b bridge.Recipient) int { return cmp.Compare(a.Session, b.Session) })
	for _, r := range got {
		e.later("INSERT INTO inbox (conversation, recipient, seq, message, partner_unread) VALUES ($1, $2, $3, $4, $5)",
			to.conversation, string(r.Session), r.Seq, sent.ID, r.Unread)
	}
	if len(got) > 1 {
		e.later("UPDATE conversations SET copies = copies + $1 WHERE id = $2", int64(len(got)-1), to.conversation)
	}
	e.count(to.conversation, 0, 1)
	sent.SentAt, sent.Redacted = e.Operation.Now, m.Redacted
	addRecipients(&sent, got)
	return sent, nil
}

// insertMessage stores a message. Sealed texts are bound to the message's id, so the id
// is taken from the sequence first.
func (e *entry) insertMessage(to mail, m bridge.NewMessage) (id int64, err error) {
	cipher, err := e.cipher()
	if err != nil {
		return 0, err
	}
	given := "DEFAULT"
	args := []any{to.conversation, to.from, string(m.Action), nil, nil, sqlstore.List(m.Redacted), e.Operation.Now, to.replyTo, sqlstore.OrNull(to.key)}
	if cipher.State.Seals() {
		if err := e.get("SELECT nextval(pg_get_serial_sequence('messages', 'id'))", nil, &id); err != nil {
			return 0, err
		}
		given, args = "$10", append(args, id)
	}
	args[3] = cipher.Text(sqlstore.MessagePlace("message", to.conversation, id), m.Text)
	args[4] = sqlstore.SealList(cipher, sqlstore.MessagePlace("files", to.conversation, id), m.Files)
	err = e.get(`
		INSERT INTO messages (conversation, sender, action_type, message, files, redacted, sent_at, reply_to, idempotency_key, id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, `+given+`) RETURNING id`, args, &id)
	return id, err
}

// addRecipients adds to sent who received the message.
func addRecipients(sent *bridge.Sent, got []bridge.Recipient) {
	first := got[0]
	sent.Seq, sent.PartnerUnread, sent.Partner = first.Seq, first.Unread, first.SessionState
	if len(got) > 1 {
		sent.Further = got[1:]
	}
}

// partnerColumns are what a sender is told about a session s that received its message.
const partnerColumns = "s.session, s.status, s.seen_at, s.receipt_id, s.receipt_at"

// recipientRow is the destination for them and the session's numbers.
type recipientRow struct {
	bridge.Recipient
	session, status string
}

func (r *recipientRow) dest() []any {
	return []any{&r.session, &r.status, &r.SeenAt, &r.ReadID, &r.ReadAt, &r.Seq, &r.Unread}
}

func (r *recipientRow) recipient() bridge.Recipient {
	one := r.Recipient
	one.Session, one.Status = bridge.SessionID(r.session), bridge.Status(r.status)
	return one
}

// names returns the names of sessions as an array parameter.
func names(of bridge.Recipients) []string {
	all := make([]string, len(of))
	for i, session := range of {
		all[i] = string(session)
	}
	return all
}

// nextSeqs takes the next number of each inbox, with the next statement whose result is
// awaited. It appends to got each recipient with its number and the count of unread
// messages.
func (e *entry) nextSeqs(conversation string, to bridge.Recipients, got *[]bridge.Recipient) {
	var row recipientRow
	e.laterEach(`
		UPDATE session_status s SET last_seq = last_seq + 1
		WHERE conversation = $1 AND session = ANY($2) RETURNING `+partnerColumns+", s.last_seq, s.last_seq - s.read_seq",
		[]any{conversation, names(to)}, row.dest(), func() error {
			*got = append(*got, row.recipient())
			return nil
		})
}

// ahead holds what a send needs, read together with the sender's session.
type ahead struct {
	key      string
	repeated *firstAnswer
	// of is the only partner, as in a conversation of two, and last the last message
	// sent to it: its whole text if whole is set, else the end.
	of    bridge.SessionID
	whole bool
	last  []storedText
}

// storedText is a message's text, or the end of one, as stored.
type storedText struct {
	id   int64
	text string
}

// partner maps each of two sessions to the other.
var partner = map[bridge.SessionID]bridge.SessionID{bridge.SessionA: bridge.SessionB, bridge.SessionB: bridge.SessionA}

// readAhead queries, with the next statement whose result is awaited, what a message of
// g's session needs: the first answer to its idempotency key and, assuming a
// conversation of two, the session's last message.
func (e *entry) readAhead(g bridge.Gate, key string) {
	a := &ahead{key: key, repeated: &firstAnswer{}}
	if key != "" {
		query, args, dest, visit := a.repeated.query(g, key)
		e.laterEach(query, args, dest, visit)
	}
	a.whole = e.store.encrypts.Load()
	if a.of = partner[g.Session]; a.of != "" {
		query, args := tailQuery(g, a.whole, bridge.Recipients{a.of}, false)
		var one storedText
		e.laterEach(query, args, []any{&one.id, &one.text}, func() error {
			a.last = append(a.last, one)
			return nil
		})
	}
	e.ahead = a
}

// Repeated returns the first answer to an idempotency key with the present state of the
// recipients, or the zero value.
func (e *entry) Repeated(g bridge.Gate, key string) (bridge.Sent, error) {
	if key == "" {
		return bridge.Sent{}, nil
	}
	if e.ahead != nil && e.ahead.key == key {
		return e.ahead.repeated.answer(), nil
	}
	var first firstAnswer
	query, args, dest, visit := first.query(g, key)
	err := e.each(query, args, dest, visit)
	return first.answer(), err
}

// firstAnswer reads the first answer to an idempotency key.
type firstAnswer struct {
	sent     bridge.Sent
	redacted string
	row      recipientRow
	got      []bridge.Recipient
}

const selectRepeated = `
		SELECT m.id, m.sent_at, m.redacted, ` + partnerColumns + `, i.seq, i.partner_unread
		FROM messages m
		JOIN inbox i ON i.message = m.id
		JOIN session_status s ON s.conversation = i.conversation AND s.session = i.recipient
		WHERE m.conversation = $1 AND m.sender = $2 AND m.idempotency_key = $3 ORDER BY i.recipient`

// query returns the query for it.
func (f *firstAnswer) query(g bridge.Gate, key string) (query string, args, dest []any, visit func() error) {
	return selectRepeated, []any{g.Conversation, string(g.Session), key},
		append([]any{&f.sent.ID, &f.sent.SentAt, &f.redacted}, f.row.dest()...), func() error {
			f.got = append(f.got, f.row.recipient())
			return nil
		}
}

func (f *firstAnswer) answer() bridge.Sent {
	if len(f.got) == 0 {
		return bridge.Sent{}
	}
	f.sent.Repeated, f.sent.Redacted = true, sqlstore.FromList(f.redacted)
	addRecipients(&f.sent, f.got)
	return f.sent
}

// tails returns the end of the last message that g's session sent, and of the last one
// that it sent to each of to. They are checked together with a new message, so that the
// parts of a split secret meet neither in one inbox nor for a reader of all inboxes.
func (e *entry) tails(g bridge.Gate, to bridge.Recipients) (tails []string, err error) {
	cipher, err := e.cipher()
	if err != nil {
		return nil, err
	}
	whole := cipher.State != atrest.Off
	e.store.encrypts.Store(whole)
	var last []storedText
	if a := e.ahead; a != nil && !e.Many() && a.of == to[0] && (a.whole || !whole) {
		last = a.last
	} else {
		query, args := tailQuery(g, whole, to, e.Many())
		var one storedText
		err = e.each(query, args, []any{&one.id, &one.text}, func() error {
			last = append(last, one)
			return nil
		})
	}
	for _, one := range last {
		end := sqlstore.Shown(e.sql(), sqlstore.MessagePlace("message", g.Conversation, one.id), one.text)
		tails = append(tails, lastRunes(end, bridge.TailLength))
	}
	return tails, err
}

// tailQuery returns the query for tails. Sealed texts are read whole.
func tailQuery(g bridge.Gate, whole bool, to bridge.Recipients, many bool) (query string, args []any) {
	query, recipients := selectTail, any(string(to[0]))
	if many {
		query, recipients = selectTails, names(to)
	}
	stored := int64(tailStored)
	if whole {
		stored = math.MaxInt32
	}
	return query, []any{stored, g.Conversation, string(g.Session), recipients}
}

// tailStored is how many characters of a stored text contain its last TailLength
// characters: one may take up to four (server.Quote).
const tailStored = 4*bridge.TailLength + 4

// selectTail is for a conversation of two: everything that one session sends is in the
// inbox of the other.
const selectTail = `
	SELECT m.id, right(m.message, $1) FROM messages m JOIN inbox i ON i.message = m.id
	WHERE i.conversation = $2 AND m.sender = $3 AND i.recipient = $4 ORDER BY i.seq DESC LIMIT 1`

// selectTails is for more than two.
const selectTails = `
	SELECT m.id, right(m.message, $1) FROM messages m WHERE m.id IN (
	    SELECT max(sent_id) FROM flows WHERE conversation = $2 AND sender = $3
	    UNION SELECT sent_id FROM flows WHERE conversation = $2 AND sender = $3 AND recipient = ANY($4)) ORDER BY m.id`

// flow records that g's session sent a message, and who received it.
func (e *entry) flow(g bridge.Gate, sent bridge.Sent) {
	for _, session := range sent.Recipients() {
		e.later(`
			INSERT INTO flows (conversation, sender, recipient, sent_id, unread) VALUES ($1, $2, $3, $4, 1)
			ON CONFLICT (conversation, sender, recipient) DO UPDATE SET sent_id = $4, unread = flows.unread + 1`,
			g.Conversation, string(g.Session), string(session), sent.ID)
	}
	e.later("INSERT INTO sent (conversation, sender, message) VALUES ($1, $2, $3)", g.Conversation, string(g.Session), sent.ID)
}

// FirstFlows implements sqlstore.MailEntry. Before a third session joins, it records
// what the two sessions of a conversation have sent each other and read.
func (e *entry) FirstFlows(conversation string) error {
	e.later(`
		INSERT INTO flows (conversation, sender, recipient, sent_id, read_id, read_at, unread)
		SELECT s.conversation, o.session, s.session, coalesce((
		    SELECT i.message FROM inbox i JOIN messages m ON m.id = i.message
		    WHERE i.conversation = s.conversation AND i.recipient = s.session AND m.sender = o.session ORDER BY i.seq DESC LIMIT 1), 0),
		    s.receipt_id, s.receipt_at, (
		    SELECT count(*) FROM inbox i JOIN messages m ON m.id = i.message
		    WHERE i.conversation = s.conversation AND i.recipient = s.session AND i.seq > s.read_seq AND m.sender = o.session)
		FROM session_status s JOIN session_status o ON o.conversation = s.conversation AND o.session <> s.session
		WHERE s.conversation = $1`, conversation)
	e.later("INSERT INTO sent (conversation, sender, message) SELECT conversation, sender, id FROM messages WHERE conversation = $1 AND sender NOT IN ($2, $3)",
		conversation, bridge.System, bridge.Operator)
	return nil
}

// ReadMarks implements sqlstore.MailEntry.
func (e *entry) ReadMarks(conversation string, sender bridge.SessionID, roster bridge.Roster) error {
	var one bridge.SessionState
	var session string
	var unread int64
	return e.each(`
		SELECT s.session, f.read_id, f.read_at, f.unread
		FROM session_status s LEFT JOIN flows f ON f.conversation = s.conversation AND f.sender = $2 AND f.recipient = s.session
		WHERE s.conversation = $1 AND s.session <> $2`,
		[]any{conversation, string(sender)}, []any{&session, &one.ReadID, &one.ReadAt, &unread}, func() error {
			for i := range roster {
				if s := &roster[i]; string(s.Session) == session {
					s.ReadID, s.ReadAt = one.ReadID, one.ReadAt
					count := unread
					s.UnreadOfCaller = &count
				}
			}
			return nil
		})
}

// share returns those of files that recipients have named recently to g's session, and
// stores them so that each of those is told as well.
func (e *entry) share(g bridge.Gate, files []string, to bridge.Recipients) (shared bridge.Shared, err error) {
	named := sqlstore.NewNamed(int(e.Sessions) - 1)
	var id int64
	var sender, paths string
	err = e.each(`
		SELECT m.id, m.sender, m.files FROM (
		    SELECT seq, message FROM inbox WHERE conversation = $1 AND recipient = $2 ORDER BY seq DESC LIMIT $4) i
		JOIN messages m ON m.id = i.message WHERE m.sent_at > $3 AND m.files <> '[]' ORDER BY i.seq DESC`,
		[]any{g.Conversation, string(g.Session), g.Now.Add(-bridge.SharedFor), bridge.SharedAmong}, []any{&id, &sender, &paths}, func() error {
			return named.Read(e.sql(), g.Conversation, sender, id, paths)
		})
	if err != nil {
		return nil, err
	}
	for _, session := range to {
		both := bridge.SharedFiles(files, named.By(session))
		if both == nil {
			continue
		}
		self, other := g.Session, session
		if !e.Many() {
			self, other = "", "" // the only partner
		}
		if err := e.keepShared(g.Conversation, session, self, both); err != nil {
			return nil, err
		}
		shared = shared.With(other, both)
	}
	return shared, nil
}

// keepShared adds files named by another session to those that a session has yet to be
// told of.
func (e *entry) keepShared(conversation string, session, other bridge.SessionID, files []string) error {
	var kept string
	of := []any{conversation, string(session)}
	if err := e.get("SELECT shared_files FROM session_status WHERE conversation = $1 AND session = $2", of, &kept); err != nil {
		return err
	}
	cipher, err := e.cipher()
	if err != nil {
		return err
	}
	all := toShared(e.openShared(conversation, session, kept)).With(other, files)
	stored := cipher.Fixed(sqlstore.SharedPlace(conversation, string(session)), fromShared(all))
	e.later("UPDATE session_status SET shared_files = $3 WHERE conversation = $1 AND session = $2", append(of, stored)...)
	return nil
}

// openShared opens the stored value of a session's shared_files column.
func (c *conn) openShared(conversation string, session bridge.SessionID, stored string) string {
	return sqlstore.OpenShared(c.sql(), sqlstore.SharedPlace(conversation, string(session)), stored)
}

// fromShared returns the stored form for the column shared_files: an object with a list
// per session.
func fromShared(s bridge.Shared) string {
	if len(s) == 0 {
		return "{}"
	}
	encoded, _ := json.Marshal(s) // strings can always be encoded
	return string(encoded)
}

// toShared parses the stored form. The column of a session that does not exist is NULL.
// A damaged value counts as empty.
func toShared(column string) (s bridge.Shared) {
	if column == "{}" || json.Unmarshal([]byte(column), &s) != nil {
		return nil
	}
	return s
}
