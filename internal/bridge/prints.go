package bridge

import (
	"encoding/binary"
	"encoding/hex"

	"example.org/bridge/internal/auth"
)

// Printer makes fingerprints of tokens, by which a store finds the token in a
// text without computing all of them. A fingerprint is 48 of a token's
// 256 bits under a key: it proves nothing, and opens nothing.
type Printer struct {
	pad    uint64
	tokens auth.Tokens
}

// NewPrinter returns the printer of a store.
func NewPrinter(key auth.Key) Printer {
	return Printer{pad: binary.BigEndian.Uint64(key.Derive("token fingerprint")), tokens: auth.NewTokens(key)}
}

const (
	printDigits = 12
	printMask   = 1<<(4*printDigits) - 1
)

// Of returns the fingerprint of the token of a session.
func (p Printer) Of(conversation string, session SessionID, nonce []byte) int64 {
	return p.read(p.tokens.Issue(conversation, string(session), nonce))
}

// read returns the fingerprint of a token, or of what looks like one.
func (p Printer) read(token string) int64 {
	var bytes [8]byte
	_, _ = hex.Decode(bytes[2:], []byte(token[:printDigits])) // hex digits always decode
	return int64((binary.BigEndian.Uint64(bytes[:]) ^ p.pad) & printMask)
}

// candidates calls visit with everything in text that looks like a token.
func candidates(text string, visit func(token string)) {
	run := 0
	for i := range len(text) {
		if c := text[i]; ('0' > c || c > '9') && ('a' > c || c > 'f') {
			run = 0
		} else if run++; run >= auth.TokenLength {
			visit(text[i+1-auth.TokenLength : i+1])
		}
	}
}

// Prints are the fingerprints of the tokens of a conversation.
type Prints struct{ A, B int64 }

func (p Printer) ofBoth(conversation string, n Nonces) Prints {
	return Prints{A: p.Of(conversation, SessionA, n.A), B: p.Of(conversation, SessionB, n.B)}
}

// Suspect is a session whose token has a fingerprint that was looked for.
type Suspect struct {
	Conversation string
	Session      SessionID
	Nonce        []byte
}
