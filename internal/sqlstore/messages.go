package sqlstore

import (
	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
)

// HeadRow is the destination for a row of a query for bridge.Head: the id of a message,
// and for both its text and its files the first four characters and the stored size in
// bytes.
type HeadRow struct {
	id, text, list   int64
	textMark, marked string
}

// Dest returns the fields in that order.
func (r *HeadRow) Dest() []any { return []any{&r.id, &r.textMark, &r.text, &r.marked, &r.list} }

// Head returns the head, with the sizes of the unsealed texts.
func (r *HeadRow) Head() bridge.Head {
	return bridge.Head{ID: r.id, Bytes: atrest.Size(r.textMark, int(r.text)) + atrest.Size(r.marked, int(r.list))}
}

// messageRow is the destination for a row of a query for ReadMessages.
type messageRow struct {
	bridge.Message
	to, action, files, redacted string
}

func (r *messageRow) dest() []any {
	return []any{&r.ID, &r.Seq, &r.From, &r.to, &r.action, &r.Text, &r.files, &r.redacted, &r.SentAt, &r.ReplyTo, &r.Read}
}

// open opens the sealed texts of a message of a conversation.
func (r *messageRow) open(c Conn, conversation string) {
	r.Text = Shown(c, MessagePlace("message", conversation, r.ID), r.Text)
	r.files = shownList(c, MessagePlace("files", conversation, r.ID), r.files)
}

func (r *messageRow) message() bridge.Message {
	m := r.Message
	m.To, m.Action = FromLetters(r.to), bridge.ActionType(r.action)
	m.Files, m.Redacted = FromList(r.files), FromList(r.redacted)
	return m
}

// ReadMessages reads at most limit messages. If bytes is not 0, it stops before the
// message with which they would exceed that size in bytes, but always reads the first.
// more reports whether it stopped early. The first argument of the query must be the
// conversation, and the query must select these columns: id, number in the inbox,
// sender, letters of the recipients, kind, text, files, kinds of redacted secrets,
// time, the id of the message that it answers, and whether it was read.
func ReadMessages(c Conn, query string, args []any, limit, bytes int) (all []bridge.Message, more bool, err error) {
	var row messageRow
	size := 0
	conversation, _ := args[0].(string)
	err = c.Each(query, args, row.dest(), func() error {
		row.open(c, conversation)
		size += len(row.Text) + len(row.files)
		if len(all) == limit || bytes > 0 && len(all) > 0 && size > bytes {
			more = true
			return ErrStop
		}
		all = append(all, row.message())
		return nil
	})
	return all, more, err
}
