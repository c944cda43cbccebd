package storefile

import (
	"crypto/hmac"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

// Contents says what a store holds at one moment.
type Contents struct {
	SchemaVersion int
	// ID is what a store got when it was made; its copies have the same.
	ID []byte
	// Head is the end of the audit log.
	Head audit.Head
	// Conversations and Messages are counts; LastMessage is the highest number of a
	// message, 0 where there is none.
	Conversations, Messages, LastMessage int64
}

// Inspection is what can be told of a store from outside.
type Inspection struct {
	// Bytes is the size of the database file.
	Bytes int64
	// LogBytes is the size of the write-ahead log beside it.
	LogBytes int64
	// LogReaders are processes that read from the log just now, as far as the
	// system tells. While they do it cannot become smaller.
	LogReaders []bridge.Holder
	// WAL reports that the database is in WAL mode.
	WAL bool
	// SchemaVersion is 0 for a file that nobody has put anything into. KnownVersion
	// is the newest that this program knows.
	SchemaVersion, KnownVersion int
	// Encrypted reports that texts are encrypted, or were to be, and Unfinished that
	// there may be both kinds: a conversion runs, or was interrupted.
	Encrypted, Unfinished bool
	// Problems is what SQLite's quick check found, and counts that do not hold, at most
	// ten each; empty when sound.
	Problems []string
	// Limits are those of the store; nil before it has any.
	Limits *bridge.LimitReport
	// Ends are those of the conversations of a store whose version seals them.
	Ends []End
	// ID is the store's, and KeyCheck says which key it was made with.
	ID, KeyCheck []byte
}

// End is when a conversation ends, with the seal of that.
type End struct {
	Conversation string
	At           time.Time
	Seal         []byte
}

// MovedEnds are the conversations whose end was not set with key, oldest first. Their
// sessions are refused until the operator sets an end.
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
