package sqlite

import (
	"context"

	"example.org/bridge/internal/bridge"
)

// Suspects implements bridge.Store. A text contains at most about ten thousand strings
// that look like a token, and hardly any of them is one.
func (s *Store) Suspects(ctx context.Context, prints []int64, visit func(bridge.Suspect)) error {
	return s.read.do(ctx, func(c *conn) error { return suspects(c, prints, visit) })
}

// Suspects implements sqlstore.StoreEntry.
func (e *entry) Suspects(_ context.Context, prints []int64, visit func(bridge.Suspect)) error {
	return suspects(e.conn, prints, visit)
}

func suspects(c *conn, prints []int64, visit func(bridge.Suspect)) error {
	var found bridge.Suspect
	var session string
	for _, fingerprint := range prints {
		err := c.each("SELECT conversation, session, nonce FROM session_status WHERE fingerprint = ?", []any{fingerprint},
			[]any{&found.Conversation, &session, &found.Nonce}, func() error {
				found.Session = bridge.SessionID(session)
				visit(found)
				return nil
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// fillPrints stores the fingerprints of the sessions of a store that is being migrated.
func fillPrints(c *conn, p bridge.Printer) error {
	var all []bridge.Suspect
	var s bridge.Suspect
	var session string
	err := c.each("SELECT conversation, session, nonce FROM session_status", nil, []any{&s.Conversation, &session, &s.Nonce}, func() error {
		s.Session = bridge.SessionID(session)
		all = append(all, s)
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range all {
		_, err := c.exec("UPDATE session_status SET fingerprint = ? WHERE conversation = ? AND session = ?",
			p.Of(s.Conversation, s.Session, s.Nonce), s.Conversation, string(s.Session))
		if err != nil {
			return err
		}
	}
	return nil
}
