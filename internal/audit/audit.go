// Package audit chains the entries of an audit log, so that a change to the log
// by anything other than the bridge is detected.
//
// Every entry carries an HMAC over itself and the entry before it. The head (the
// number and HMAC of the last entry) is sealed with an HMAC of its own and kept
// apart from the entries, so that entries cut off the end leave a head that does
// not match. Without the master key, nobody can extend, shorten, reorder or edit
// the log unnoticed. The chain alone cannot detect that a log was put back to an
// earlier state by somebody who kept a copy of the head of that state. For that,
// note the head elsewhere (`bridge audit verify` prints it) and compare.
package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// Entry is one line of the log.
type Entry struct {
	// Seq numbers the entries from 1, without gaps.
	Seq int64
	// Chain and Link are set in a log of several chains (spine.go): the name of the
	// entry's chain, and its number in that chain.
	Chain string
	Link  int64
	// Time is when it happened, in UTC, with microsecond precision.
	Time time.Time
	// Conversation is the conversation concerned, as claimed by the caller; it
	// may be empty.
	Conversation string
	// Session is the actor: "a", "b", "operator" or "system". If the outcome is
	// a refusal, it is as claimed by the caller.
	Session string
	// Action names the operation, such as "send_to_partner".
	Action string
	// Outcome is "ok" or the reason of the refusal, such as "unauthorized".
	Outcome string
	// Details is a JSON object. It never holds a secret or a message's text.
	Details string
	// MAC ties the entry to all entries before it.
	MAC []byte
}

// Head identifies the end of the log.
type Head struct {
	// Seq is the number of the last entry; 0 for an empty log.
	Seq int64
	// MAC is the HMAC of the last entry; nil for an empty log.
	MAC []byte
	// Seal proves that Seq and MAC were written by a holder of the key.
	Seal []byte
}

// String returns the head in the form that ParseHead accepts and that people
// note: the number and the first 16 bytes of the HMAC.
func (h Head) String() string {
	return fmt.Sprintf("%d:%s", h.Seq, hex.EncodeToString(h.MAC[:min(16, len(h.MAC))]))
}

// Chain computes the HMACs of one store's log.
type Chain struct{ key []byte }

// NewChain returns the chain under key, which must not be used for anything
// else.
func NewChain(key []byte) Chain { return Chain{key: key} }

// EmptyHead returns the sealed head of a log without entries.
func (c Chain) EmptyHead() Head { return c.seal(Head{}) }

// Append sets e's number and HMAC, and returns it with the new head.
func (c Chain) Append(head Head, e Entry) (Entry, Head) {
	e.Seq = head.Seq + 1
	e.MAC = c.entryMAC(head.MAC, e)
	return e, c.seal(Head{Seq: e.Seq, MAC: e.MAC})
}

func (c Chain) seal(h Head) Head {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte("head"))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(h.Seq)))
	mac.Write(h.MAC)
	h.Seal = mac.Sum(nil)
	return h
}

func (c Chain) entryMAC(previous []byte, e Entry) []byte {
	mac := hmac.New(sha256.New, c.key)
	buf := make([]byte, 0, 512)
	if e.Chain == "" {
		buf = append(buf, "entry"...)
		buf = binary.BigEndian.AppendUint64(buf, uint64(e.Seq))
	} else {
		buf = append(buf, "link"...)
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(e.Chain)))
		buf = append(buf, e.Chain...)
		buf = binary.BigEndian.AppendUint64(buf, uint64(e.Link))
	}
	buf = binary.BigEndian.AppendUint64(buf, uint64(e.Time.UnixMicro()))
	for _, field := range [...]string{string(previous), e.Conversation, e.Session, e.Action, e.Outcome, e.Details} {
		buf = appendField(buf, field)
	}
	mac.Write(buf)
	return mac.Sum(nil)
}

// appendField appends a text preceded by its length, so that text cannot move from one
// field to the next unnoticed.
func appendField(buf []byte, field string) []byte {
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(field)))
	return append(buf, field...)
}
