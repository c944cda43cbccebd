package auth

import (
	"crypto/rand"
	"strings"
)

// A resume code has three groups of four characters of joinAlphabet: 60 bits. It
// is longer than a join code, because it is valid as long as the conversation
// and not only for ten minutes.
const (
	resumeCodeLength = 12
	resumeGroup      = 4
)

// NewResumeCode returns a random resume code of 60 bits, such as "K7QM-2X9D-4TAB".
func NewResumeCode() string {
	random := make([]byte, resumeCodeLength)
	_, _ = rand.Read(random) // cannot fail (crypto/rand)
	for i, b := range random {
		random[i] = joinAlphabet[b%32] // no bias, since 256 is a multiple of 32
	}
	return grouped(string(random))
}

func grouped(code string) string {
	return code[:resumeGroup] + "-" + code[resumeGroup:2*resumeGroup] + "-" + code[2*resumeGroup:]
}

const resumeCodeInText = `\b[0-9A-Za-z]{4}\s*-\s*[0-9A-Za-z]{4}\s*-\s*[0-9A-Za-z]{4}\b`

// ReadResumeCode finds the resume code in text, with the same tolerance as
// ReadJoinCode, and returns it in the form of NewResumeCode. The hyphens are required.
// ok is false unless text contains exactly one code.
func ReadResumeCode(text string) (code string, ok bool) {
	text = strings.Map(plainDash, text[:min(len(text), maxPasted)])
	found, one := onlyMatch(resumeCodeInText, text)
	if !one {
		return "", false
	}
	code = joinCharacters(found)
	if len(code) != resumeCodeLength || strings.Trim(code, joinAlphabet) != "" {
		return "", false
	}
	return grouped(code), true
}
