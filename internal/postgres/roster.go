package postgres

import (
	"context"

	"example.org/bridge/internal/bridge"
)

// Suspects implements bridge.Store.
func (s *Store) Suspects(ctx context.Context, prints []int64, visit func(bridge.Suspect)) error {
	if len(prints) == 0 {
		return nil
	}
	var all []bridge.Suspect
	err := s.read(ctx, func(c *conn) (err error) {
		all, err = suspects(c, prints)
		return err
	})
	for _, found := range all {
		visit(found)
	}
	return err
}

// Suspects implements sqlstore.StoreEntry.
func (e *entry) Suspects(_ context.Context, prints []int64, visit func(bridge.Suspect)) error {
	all, err := suspects(e.conn, prints)
	for _, found := range all {
		visit(found)
	}
	return err
}

func suspects(c *conn, prints []int64) (all []bridge.Suspect, err error) {
	var found bridge.Suspect
	var session string
	err = c.each("SELECT conversation, session, nonce FROM session_status WHERE fingerprint = ANY($1)", []any{prints},
		[]any{&found.Conversation, &session, &found.Nonce}, func() error {
			found.Session = bridge.SessionID(session)
			all = append(all, found)
			return nil
		})
	return all, err
}
