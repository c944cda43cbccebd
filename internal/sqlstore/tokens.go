package sqlstore

import (
	"time"

	"example.org/bridge/internal/bridge"
)

// Nonces returns the nonces of a conversation's tokens, ordered by session. The error
// may be bridge.ErrNotFound.
func Nonces(c Conn, conversation string) (all []bridge.NewNonce, err error) {
	var n bridge.NewNonce
	var session string
	err = c.Each("SELECT session, nonce, fingerprint FROM session_status WHERE conversation = ?1 ORDER BY session",
		[]any{conversation}, []any{&session, &n.Nonce, &n.Print}, func() error {
			n.Session = bridge.SessionID(session)
			all = append(all, n)
			return nil
		})
	if err == nil && all == nil {
		err = bridge.ErrNotFound
	}
	return all, err
}

// ReplaceNonces stores the new nonces that rule returns for the sessions of op's
// conversation at the store's time now. The error may be bridge.ErrNotFound or a
// bridge.Refusal.
func ReplaceNonces(c Conn, op bridge.Operation, now time.Time, rule bridge.NonceRule) ([]bridge.NewNonce, error) {
	roster, err := Roster(c, op.Conversation)
	if err != nil {
		return nil, err
	}
	if len(roster) == 0 {
		return nil, bridge.ErrNotFound
	}
	fresh, err := rule(roster.IDs(), now)
	if err != nil {
		return nil, bridge.RefuseInvalid(op, err)
	}
	for _, n := range fresh {
		err := c.Later(`
			UPDATE session_status SET nonce = ?1, fingerprint = ?2, join_hash = NULL,
			       join_expires_at = CASE joined_at WHEN 0 THEN ?5 ELSE join_expires_at END
			WHERE conversation = ?3 AND session = ?4`,
			n.Nonce, n.Print, op.Conversation, string(n.Session), n.KeptUntil)
		if err != nil {
			return nil, err
		}
	}
	return fresh, nil
}
