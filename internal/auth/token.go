package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
)

const (
	// NonceSize is the size, in bytes, of the random value that a store keeps for each
	// session. Replacing the value invalidates the session's token.
	NonceSize = 32
	// TokenLength is the length of a token in hexadecimal characters.
	TokenLength = 2 * sha256.Size

	tokenVersion = 1
)

// NewNonce returns NonceSize random bytes.
func NewNonce() []byte {
	nonce := make([]byte, NonceSize)
	_, _ = rand.Read(nonce) // cannot fail (crypto/rand)
	return nonce
}

// Tokens issues and checks the tokens of one store.
type Tokens struct{ key []byte }

// NewTokens returns the Tokens of the store with the master key key.
func NewTokens(key Key) Tokens { return Tokens{key: key.Derive("token")} }

// Issue returns the token of a session: HMAC-SHA-256 over version, conversation,
// session and nonce, as TokenLength lower-case hexadecimal characters.
func (t Tokens) Issue(conversation, session string, nonce []byte) string {
	return hex.EncodeToString(t.mac(conversation, session, nonce))
}

// Verify reports whether token is the session's token. Its time depends neither on the
// token nor on whether the session exists: a nil nonce (an unknown session) costs the
// same and is never verified.
func (t Tokens) Verify(token, conversation, session string, nonce []byte) bool {
	known := nonce != nil
	if !known {
		nonce = make([]byte, NonceSize)
	}
	want := t.Issue(conversation, session, nonce)
	same := subtle.ConstantTimeCompare([]byte(want), []byte(token)) == 1
	return same && known
}

func (t Tokens) mac(conversation, session string, nonce []byte) []byte {
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte{tokenVersion})
	for _, part := range [][]byte{[]byte(conversation), []byte(session), nonce} {
		// Each part is preceded by its length, so that no two different triples sign
		// the same bytes.
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write(part)
	}
	return mac.Sum(nil)
}
