package sqlstore

import (
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
)

// Entry is one operation of a store in its transaction. The operation is recorded in
// the audit log if the function that implements it returns nil or a bridge.Refusal.
type Entry interface {
	// SQL is the connection of the transaction.
	SQL() Conn
	// Op is the operation. What is added to its Details is recorded in the audit log.
	Op() bridge.Operation
	// Now is the store's time of the operation.
	Now() time.Time
	// Inbox is the inbox of the calling session, and SeenAt its previous sign of life.
	Inbox() bridge.Inbox
	SeenAt() time.Time
	// ExpiresAt is when the conversation of the calling session ends.
	ExpiresAt() time.Time
	// Charge applies all charges. If one is over its limit, it applies none and returns
	// a bridge.Refusal.
	Charge(charges []bridge.Charge) error
}

// ErrNothing rolls an operation back that has nothing to do. The operation is not
// recorded.
var ErrNothing = errors.New("nothing to do")

// refused returns the refusal of a rule, to be recorded.
func refused(reason error) error {
	return &bridge.Refusal{Reason: reason, Outcome: bridge.OutcomeRefused}
}

// OrNull returns text as a parameter; "" is stored as NULL.
func OrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// conversation returns the expiry of a conversation, or the zero value if it does not
// exist.
func conversation(c Conn, id string) (found bridge.Conversation, err error) {
	err = c.Get("SELECT expires_at FROM conversations WHERE id = ?1", []any{id}, &found.ExpiresAt)
	if errors.Is(err, ErrNoRow) {
		return bridge.Conversation{}, nil
	}
	return found, err
}
