package sqlstore

import "example.org/bridge/internal/bridge"

// messageRow is where a row that ReadMessages selects is read into.
type messageRow struct {
	bridge.Message
	to, action, files, redacted string
}

func (r *messageRow) dest() []any {
	return []any{&r.ID, &r.Seq, &r.From, &r.to, &r.action, &r.Text, &r.files, &r.redacted, &r.SentAt, &r.ReplyTo, &r.Read}
}

func (r *messageRow) message() bridge.Message {
	m := r.Message
	m.To, m.Action = FromLetters(r.to), bridge.ActionType(r.action)
	m.Files, m.Redacted = FromList(r.files), FromList(r.redacted)
	return m
}

// ReadMessages reads messages until there are limit of them, or until the next one would
// make them longer than bytes (0: no bound). more says whether there was a next one. The
// query selects a message's id, its number in an inbox, its sender, the letters of its
// recipients, its kind, text, files, kinds of hidden secrets, time, what it answers, and
// whether it was read.
func ReadMessages(c Conn, query string, args []any, limit, bytes int) (all []bridge.Message, more bool, err error) {
	var row messageRow
	size := 0
	err = c.Each(query, args, row.dest(), func() error {
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
