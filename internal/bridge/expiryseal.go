package bridge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrExpiryMoved reports that the end of a conversation was not set with the
// store's key: something other than bridge has changed the file.
var ErrExpiryMoved = errors.New("the end of this conversation was changed by something other than bridge")

// MovedEndsError is an ErrExpiryMoved for the conversations that a cleanup did not
// remove because of it.
type MovedEndsError struct {
	Conversations []string // their IDs, in order
}

// namedMoved is the number of conversations that the error names.
const namedMoved = 20

// Error lists the conversations.
func (e *MovedEndsError) Error() string {
	names := strings.Join(e.Conversations[:min(len(e.Conversations), namedMoved)], ", ")
	if more := len(e.Conversations) - namedMoved; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return "not removed, because something other than bridge has changed when they end: " + names
}

// Unwrap returns ErrExpiryMoved.
func (*MovedEndsError) Unwrap() error { return ErrExpiryMoved }

// EndCheck reports whether bridge has set the end of a conversation. See
// ExpirySealer.Genuine.
type EndCheck func(conversation string, expiresAt time.Time, seal []byte) bool

// Of returns the conversations whose ends bridge has set, in the given order.
func (c EndCheck) Of(all []Overview) (genuine []Overview) {
	for _, o := range all {
		if c(o.ID, o.ExpiresAt, o.ExpirySeal) {
			genuine = append(genuine, o)
		}
	}
	return genuine
}

// ExpirySealer signs the ends of conversations. Somebody who can write to the
// store's file, but does not have its key, cannot extend a conversation.
type ExpirySealer struct{ key []byte }

// NewExpirySealer returns the sealer for key.
func NewExpirySealer(key Key) ExpirySealer { return ExpirySealer{key.Derive("expiry")} }

// Seal returns the seal of a conversation that expires at a time with the precision
// of stores, which is a microsecond: HMAC-SHA-256 over the length of the ID, the ID
// and the time.
func (s ExpirySealer) Seal(conversation string, expiresAt time.Time) []byte {
	mac := hmac.New(sha256.New, s.key)
	text := binary.BigEndian.AppendUint32(nil, uint32(len(conversation)))
	text = append(text, conversation...)
	mac.Write(binary.BigEndian.AppendUint64(text, uint64(expiresAt.UnixMicro())))
	return mac.Sum(nil)
}

// Genuine reports whether seal is the seal of that conversation and time.
func (s ExpirySealer) Genuine(conversation string, expiresAt time.Time, seal []byte) bool {
	return hmac.Equal(seal, s.Seal(conversation, expiresAt))
}
