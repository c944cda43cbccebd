package redact

import "strings"

// maxAuthority limits the part of a URL that may contain a password, in bytes.
const maxAuthority = 512

// urlAt looks for user:password@ after the // of a URL. It hides the password, or
// a token without a user.
func (f *finder) urlAt(i int) int {
	text := f.text
	if i == 0 || text[i-1] != ':' || !f.hasAt(i, "//") || f.hasAt(i, "//did:") {
		return i
	}
	start := i + 2
	at, colon := f.userInfo(start)
	if at == 0 {
		return i
	}
	if colon == 0 {
		if s := text[start:at]; len(s) >= 16 && generated(s) {
			f.add(start, at, kindToken, rankName)
			return at
		}
		return i
	}
	if s := text[colon+1 : at]; len(s) > 0 && !isTemplate(s) {
		f.add(colon+1, at, kindPassword, rankName)
		return at
	}
	return i
}

// userInfo returns the positions of the @ that ends the user part which begins at
// start, and of the colon in it, or 0 if there is none. A password may contain
// any character but a blank or a quote, so the last @ before the host counts.
func (f *finder) userInfo(start int) (at, colon int) {
	text := f.text
	slash, j := 0, start
	if start < f.noUser { // an earlier call found a slash before any @
		slash, j = 1, f.noUser
	}
	for ; j < len(text) && j-start < maxAuthority; j++ {
		switch b := text[j]; {
		case b <= ' ' || b == '"' || b == '`' || b == '<' || b == '\'' || b == '\\':
			return at, colonIn(text, start, at)
		case b == '@':
			if slash > 0 && (at > 0 || !plausibleUser(text[start:j])) {
				return at, colonIn(text, start, at)
			}
			at = j
		case b == ';' && at == 0 && f.assignsNext(j+1): // the parameters of a connection
			return 0, 0
		case b == '/' || b == '?' || b == '#':
			if at > 0 {
				return at, colonIn(text, start, at)
			}
			slash++
		}
	}
	if at == 0 && slash > 0 {
		f.noUser = j
	}
	return at, colonIn(text, start, at)
}

func colonIn(text string, start, at int) int {
	if at == 0 {
		return 0
	}
	if c := strings.IndexByte(text[start:at], ':'); c >= 0 && start+c+1 < at {
		return start + c
	}
	return 0
}

// plausibleUser reports whether s, which contains a slash, may still be
// user:password: the colon is before the slash, and is not followed by a port.
// The user may be empty, as for Redis.
func plausibleUser(s string) bool {
	c := strings.IndexByte(s, ':')
	slash := strings.IndexAny(s, "/?#")
	return c >= 0 && c < slash && slash > c+1 && !strings.Contains(s[:c], ".") && !isNumber(s[c+1:slash])
}

func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// isTemplate reports whether s is a variable or stars.
func isTemplate(s string) bool {
	if len(s) < 2 || masked(s) || s == "REDACTED" || strings.Contains(s, "${") || strings.Contains(s, "{{") {
		return true
	}
	switch s[0] {
	case '<', '{', '[', '*':
		return true
	case '$':
		return isVariable(s[1:])
	case '%':
		return len(s) == 2 || s[1] == '('
	}
	return false
}
