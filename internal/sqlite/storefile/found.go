package storefile

import (
	"crypto/hmac"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

// Contents describes what a store holds at one moment.
type Contents struct {
	SchemaVersion int
	// ID is assigned when a store is created; its copies have the same ID.
	ID []byte
	// Head is the end of the audit log.
	Head audit.Head
	// Conversations and Messages are counts. LastMessage is the highest message id, or
	// 0 if there are no messages.
	Conversations, Messages, LastMessage int64
}

// Inspection is what can be found out about a store without using it.
type Inspection struct {
	// Bytes is the size of the database file.
	Bytes int64
	// LogBytes is the size of the write-ahead log beside it.
	LogBytes int64
	// LogReaders are the processes currently reading from the log, as far as the system
	// tells. The log cannot shrink meanwhile.
	LogReaders []bridge.Holder
	// WAL reports whether the database is in WAL mode.
	WAL bool
	// SchemaVersion is 0 for a file to which nothing was ever written. KnownVersion is
	// the newest version that this program knows.
	SchemaVersion, KnownVersion int
	// Encrypted reports whether texts are, or are about to be, encrypted. Unfinished
	// reports that a conversion is running or was interrupted, so that there may be
	// texts of both kinds.
	Encrypted, Unfinished bool
	// Problems are the findings of SQLite's quick check and wrong counts, at most ten
	// of each. It is empty for a sound store.
	Problems []string
	// Limits are the store's limits; nil if its version has none.
	Limits *bridge.LimitReport
	// Ends are the expiries of the conversations, if the store's version seals them.
	Ends []End
	// ID is the store's id, and KeyCheck identifies the key that it was made with.
	ID, KeyCheck []byte
}

// End is the expiry of a conversation together with its seal.
type End struct {
	Conversation string
	At           time.Time
	Seal         []byte
}

// MovedEnds returns the conversations whose expiry was not set with key, oldest first.
// Their sessions are refused until the operator sets a new expiry.
func (i Inspection) MovedEnds(key bridge.Key) (moved []string) {
	ends := bridge.NewExpirySealer(key)
	for _, e := range i.Ends {
		if !ends.Genuine(e.Conversation, e.At, e.Seal) {
			moved = append(moved, e.Conversation)
		}
	}
	return moved
}

// FitsKey reports whether the store was made with key.
func (i Inspection) FitsKey(key bridge.Key) bool {
	return hmac.Equal(i.KeyCheck, bridge.KeyCheck(key, i.ID))
}
