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

// ErrExpiryMoved reports that the end of a conversation is not the one that was set
// with the key of the store: something other than bridge has changed the file.
var ErrExpiryMoved = errors.New("the end of this conversation was changed by something other than bridge")

// MovedEndsError is ErrExpiryMoved of the conversations that a cleanup has left for it.
type MovedEndsError struct {
	Conversations []string // their ids, in order
}

// namedMoved is how many of the conversations an error names.
const namedMoved = 20

// Error names the conversations.
func (e *MovedEndsError) Error() string {
	names := strings.Join(e.Conversations[:min(len(e.Conversations), namedMoved)], ", ")
	if more := len(e.Conversations) - namedMoved; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return "left, because something other than bridge has changed when they end: " + names
}

// Unwrap returns ErrExpiryMoved.
func (*MovedEndsError) Unwrap() error { return ErrExpiryMoved }

// EndCheck reports whether bridge has set the end of a conversation, as
// ExpirySealer.Genuine does.
type EndCheck func(conversation string, expiresAt time.Time, seal []byte) bool

// Of returns those of some conversations whose ends bridge has set, in their order.
func (c EndCheck) Of(all []Overview) (genuine []Overview) {
	for _, o := range all {
		if c(o.ID, o.ExpiresAt, o.ExpirySeal) {
			genuine = append(genuine, o)
		}
	}
	return genuine
}

// ExpirySealer signs the ends of conversations. Who can write the store's file, and
// does not have its key, cannot make a conversation live longer.
type ExpirySealer struct{ key []byte }

// NewExpirySealer returns the sealer under key.
func NewExpirySealer(key Key) ExpirySealer { return ExpirySealer{key.Derive("expiry")} }

// Seal returns the seal of a conversation that expires at a time, to the microsecond
// that stores keep: HMAC-SHA-256 over the length of the id, the id, and the time.
func (s ExpirySealer) Seal(conversation string, expiresAt time.Time) []byte {
	mac := hmac.New(sha256.New, s.key)
	text := binary.BigEndian.AppendUint32(nil, uint32(len(conversation)))
	text = append(text, conversation...)
	mac.Write(binary.BigEndian.AppendUint64(text, uint64(expiresAt.UnixMicro())))
	return mac.Sum(nil)
}

// Genuine reports whether seal is the one of that conversation and time.
func (s ExpirySealer) Genuine(conversation string, expiresAt time.Time, seal []byte) bool {
	return hmac.Equal(seal, s.Seal(conversation, expiresAt))
}
