package sqlstore

import (
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
)

// Entry is one operation of a store inside its transaction. It is recorded when the
// function that carries it out returns without an error, or with a bridge.Refusal.
type Entry interface {
	SQL() Conn
	// Op is the operation. What is added to its details goes to the audit log.
	Op() bridge.Operation
	// Now is the store's time of the operation.
	Now() time.Time
	// Inbox is that of the session that calls, and SeenAt its last sign of life before.
	Inbox() bridge.Inbox
	SeenAt() time.Time
	// Charge takes all of some charges, or none: then the error is a bridge.Refusal.
	Charge(charges []bridge.Charge) error
}

// ErrNothing undoes an operation that has nothing to do: it is not recorded.
var ErrNothing = errors.New("nothing to do")

// refused is the refusal of a rule, which is recorded as one.
func refused(reason error) error {
	return &bridge.Refusal{Reason: reason, Outcome: bridge.OutcomeRefused}
}

// OrNull is NULL for no text.
func OrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// conversation returns when a conversation ends; the zero value where there is none.
func conversation(c Conn, id string) (found bridge.Conversation, err error) {
	err = c.Get("SELECT expires_at FROM conversations WHERE id = ?1", []any{id}, &found.ExpiresAt)
	if errors.Is(err, ErrNoRow) {
		return bridge.Conversation{}, nil
	}
	return found, err
}
