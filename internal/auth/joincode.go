package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// joinAlphabet is Crockford's base 32: no I, L, O or U, so that a code can be
// read aloud and typed without mistakes.
const joinAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// joinCodeLength is the number of characters of a join code without its
// hyphen: 50 bits, of which an attacker who may try a code every microsecond
// finds one within its ten minutes with a chance below one in a million.
const joinCodeLength = 10

// NewJoinCode returns a fresh random join code such as "7KQ2M-X9D4T".
func NewJoinCode() string {
	random := make([]byte, joinCodeLength)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	for i, b := range random {
		random[i] = joinAlphabet[b%32] // 256 is a multiple of 32: no bias
	}
	return string(random[:joinCodeLength/2]) + "-" + string(random[joinCodeLength/2:])
}

// JoinCodes hashes the join codes of one store.
type JoinCodes struct{ key []byte }

// NewJoinCodes returns the join codes under key.
func NewJoinCodes(key Key) JoinCodes { return JoinCodes{key: key.Derive("join code")} }

// Hash returns what a store keeps of a code: an HMAC, so that the short code
// cannot be searched for in a stolen database. Case, spaces and hyphens do not
// count, and I, L and O are read as the digits they look like.
func (j JoinCodes) Hash(code string) []byte {
	mac := hmac.New(sha256.New, j.key)
	mac.Write([]byte(normalizeJoinCode(code)))
	return mac.Sum(nil)
}

func normalizeJoinCode(code string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '-', ' ', '\t', '\n', '\r':
			return -1
		case 'I', 'L':
			return '1'
		case 'O':
			return '0'
		}
		return r
	}, strings.ToUpper(code))
}
