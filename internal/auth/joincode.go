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

// NewJoinCode returns a random join code of 50 bits in Crockford's base 32, such as
// "7KQ2M-X9D4T".
func NewJoinCode() string {
	random := make([]byte, joinCodeLength)
	_, _ = rand.Read(random) // cannot fail (crypto/rand)
	for i, b := range random {
		random[i] = joinAlphabet[b%32] // no bias, since 256 is a multiple of 32
	}
	return string(random[:joinCodeLength/2]) + "-" + string(random[joinCodeLength/2:])
}

// JoinCodes computes the hashes of the join codes of one store.
type JoinCodes struct{ key []byte }

// NewJoinCodes returns the JoinCodes of the store with the master key key.
func NewJoinCodes(key Key) JoinCodes { return JoinCodes{key: key.Derive("join code")} }

// Hash returns what a store keeps of a code: an HMAC-SHA-256, so that the short code
// cannot be found by trying codes against a stolen database. code may be written in any
// form that ReadJoinCode accepts.
func (j JoinCodes) Hash(code string) []byte {
	if read, ok := ReadJoinCode(code); ok {
		code = read
	}
	mac := hmac.New(sha256.New, j.key)
	mac.Write([]byte(strings.ReplaceAll(code, "-", "")))
	return mac.Sum(nil)
}

// ReadJoinCode finds the join code in typed or pasted text (at most the first 1,000
// bytes) and returns it in the form of NewJoinCode. It ignores case, spaces, quotes,
// dashes of any kind and other punctuation, accepts full-width letters, and reads I, L
// and O as the digits 1, 1 and 0 (Crockford's rule). If the code has its hyphen, text
// may contain other words. ok is false unless text contains exactly one code.
func ReadJoinCode(text string) (code string, ok bool) {
	text = text[:min(len(text), maxPasted)]
	code = joinCharacters(text)
	if len(code) != joinCodeLength {
		found, one := onlyMatch(joinCodeInText, strings.Map(plainDash, text))
		if !one {
			return "", false
		}
		code = joinCharacters(found)
	}
	if strings.Trim(code, joinAlphabet) != "" {
		return "", false
	}
	return code[:joinCodeLength/2] + "-" + code[joinCodeLength/2:], true
}

// maxPasted is how much of a text is searched for a code, in bytes.
const maxPasted = 1000

const joinCodeInText = `\b[0-9A-Za-z]{5}\s*-\s*[0-9A-Za-z]{5}\b`

// onlyMatch returns the part of text that matches a regular expression, if there is
// exactly one. It compiles the expression at each call: codes are read when somebody
// joins, and a package variable would be compiled at each start of the program.
func onlyMatch(expr, text string) (match string, ok bool) {
	form := regexp.MustCompile(expr)
	at := form.FindStringIndex(text)
	if at == nil || form.MatchString(text[at[1]:]) {
		return "", false
	}
	return text[at[0]:at[1]], true
}

func plainDash(r rune) rune {
	if unicode.Is(unicode.Pd, r) || r == '\u2212' {
		return '-'
	}
	return r
}

// joinCharacters returns the letters and digits of text, converted to
// joinAlphabet where they are read as one of its characters.
func joinCharacters(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '\uff10' && r <= '\uff5a' { // full-width 0 to z
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
