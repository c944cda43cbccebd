package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"regexp"
	"strings"
	"unicode"
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
// cannot be searched for in a stolen database. The code may be written in any
// way that ReadJoinCode reads.
func (j JoinCodes) Hash(code string) []byte {
	if read, ok := ReadJoinCode(code); ok {
		code = read
	}
	mac := hmac.New(sha256.New, j.key)
	mac.Write([]byte(strings.ReplaceAll(code, "-", "")))
	return mac.Sum(nil)
}

// ReadJoinCode finds the join code in what somebody typed or pasted, and returns
// it as NewJoinCode writes it. Case, spaces, quotes, dashes of any kind and other
// signs do not count, full-width letters are ordinary ones, and I, L and O are
// read as the digits they look like. Words around it go if it has its hyphen. ok
// is false where there is not just one code.
func ReadJoinCode(text string) (code string, ok bool) {
	text = text[:min(len(text), maxPasted)]
	code = joinCharacters(text)
	if len(code) != joinCodeLength {
		found := joinCodeInText.FindAllString(strings.Map(plainDash, text), 2)
		if len(found) != 1 {
			return "", false
		}
		code = joinCharacters(found[0])
	}
	if strings.Trim(code, joinAlphabet) != "" {
		return "", false
	}
	return code[:joinCodeLength/2] + "-" + code[joinCodeLength/2:], true
}

// maxPasted is how much of a text is searched for a code, in bytes.
const maxPasted = 1000

var joinCodeInText = regexp.MustCompile(`\b[0-9A-Za-z]{5}\s*-\s*[0-9A-Za-z]{5}\b`)

func plainDash(r rune) rune {
	if unicode.Is(unicode.Pd, r) || r == '\u2212' {
		return '-'
	}
	return r
}

// joinCharacters returns the letters and digits of text, in joinAlphabet where
// they are read as one of it.
func joinCharacters(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '\uff10' && r <= '\uff5a' { // 0 to z in full width
			r -= '\uff10' - '0'
		}
		switch r = unicode.ToUpper(r); {
		case r == 'I' || r == 'L':
			return '1'
		case r == 'O':
			return '0'
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return r
		}
		return -1
	}, text)
}
