package redact

import "strings"

// isPlaceholder reports whether s is not a value but takes the place of one: a
// template, a variable, stars, or a word such as "changeme".
func isPlaceholder(s string) bool {
	first, last := s[0], s[len(s)-1]
	switch {
	case first == '<' && last == '>', first == '[' && last == ']', first == '{' && last == '}', first == '(' && last == ')',
		first == '%' && (last == '%' || len(s) <= 3 || s[1] == '(' || s[1] == '{'), first == '@' && last == '@', first == '_' && last == '_':
		return !isScrambled(s, shapeOf(s))
	case first == '$':
		return isVariable(s[1:])
	case first == '#' && len(s) > 1 && s[1] == '{':
		return true
	case strings.HasPrefix(s, "{{"), strings.HasPrefix(s, "${") && last == '}', strings.HasPrefix(s, "%{"), strings.HasPrefix(s, "!"+"Ref "), strings.HasPrefix(s, "process.env"), strings.HasPrefix(s, "os.environ"):
		return true
	}
	if masked(s) {
		return true
	}
	return isStandIn(s)
}

// isVariable reports whether s, the text after a dollar sign, names a variable.
func isVariable(s string) bool {
	if s == "" || s[0] == '{' || s[0] == '(' || s[0] == '[' {
		return true
	}
	for i := range len(s) {
		if !isIdent(s[i]) && s[i] != '.' && s[i] != ':' && s[i] != '-' && s[i] != '>' {
			return i >= minElement && isElementOf(s[:i], s[i:])
		}
	}
	return !isDigit(s[0]) && !looksRandom(s)
}

// minElement is the minimum length of the name of a variable whose element is
// read.
const minElement = 3

// isElementOf reports whether rest, after the variable v, reads one of its
// elements, as in Perl: $self->{pass}, $Config::Config{email}.
func isElementOf(v, rest string) bool {
	v = strings.TrimSuffix(v, "->")
	return strings.IndexByte("{[$", rest[0]) >= 0 && wordy(v) && !containsDigit(v) && strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:") == ""
}

// masked reports whether s consists of a single repeated character, or of signs
// that replace others, such as ***, xxxx, ....
func masked(s string) bool {
	plain, same := 0, true
	for i := range len(s) {
		switch b := s[i]; b {
		case '*', 'x', 'X', '.', '-', '_', '#', '?':
		default:
			plain++
		}
		same = same && s[i] == s[0]
		if !same && plain*10 > len(s) {
			return strings.Contains(s, "****") || strings.Contains(s, "...")
		}
	}
	return plain*10 <= len(s) || same && !isDigit(s[0])
}

func isStandIn(s string) bool {
	var buf [64]byte
	n := 0
	for i := range len(s) {
		if !isAlnum(s[i]) {
			continue
		}
		if n == len(buf) {
			return false
		}
		buf[n] = lower(s[i])
		n++
	}
	w := string(buf[:n])
	if isStandInWord(w) {
		return true
	}
	switch {
	case strings.HasPrefix(w, "replace"):
		return true
	case strings.HasPrefix(w, "your"):
		if !containsDigit(w) {
			return true
		}
	case strings.HasPrefix(w, "enter"), strings.HasPrefix(w, "insert"):
		if namesItself(w) {
			return true
		}
	}
	return strings.Contains(w, "placeholder") || strings.HasSuffix(w, "here") && wordy(s) || strings.Contains(w, "redacted")
}

// plainValues are words that follow "password:" in types and messages.
var plainValues = []string{"string", "incorrect", "correct", "wrong", "expired", "reset", "changed", "updated", "failed", "denied", "accepted", "rejected", "success", "disabled", "enabled", "plain", "blank", "token", "hashed", "encrypted", "always", "never", "input", "compat", "files", "inherit"}
