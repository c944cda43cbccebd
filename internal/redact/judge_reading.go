package redact

import "strings"

// isReference reports whether s says where a secret is: a path, a URL without a
// password, an expression.
func isReference(s string) bool {
	for _, p := range systemPaths[s[0]] {
		if hasFold(s, 0, p) && len(s) < 4*minWeak {
			return true
		}
	}
	for _, p := range referenceHeads[s[0]] {
		if strings.HasPrefix(s, p) {
			return wordy(strings.TrimRight(s, "*%")) || p == "data:" || strings.HasPrefix(p, "http") && strings.IndexByte(s, '@') < 0
		}
	}
	return isFileName(s) || isDeepPath(s)
}

// isDeepPath reports whether s is a path of three components or more, the first a
// word.
func isDeepPath(s string) bool {
	if s[0] != '/' || strings.Count(s, "/") < 3 {
		return false
	}
	first, _, _ := strings.Cut(s[1:], "/")
	second, _, _ := strings.Cut(s[len(first)+2:], "/")
	return len(first) >= 3 && isPlainWord(first) && (wordy(first) || isPlainWord(second))
}

// systemPaths are the beginnings of system paths, by their first byte.
var systemPaths = [256][]string{
	'/': {"/usr/", "/etc/", "/var/", "/opt/", "/home/", "/run/", "/dev/", "/proc/", "/root/"},
	's': {`software\`},
	'S': {`software\`},
}

// referenceHeads are the beginnings of references, by their first byte.
var referenceHeads = [256][]string{
	'/': {"/"},
	'.': {"./", "../"},
	'~': {"~/"},
	'h': {"http://", "https://"},
	'f': {"file:"},
	'e': {"env:"},
	'v': {"vault:"},
	'o': {"op://"},
	'a': {"arn:"},
	's': {"secretsmanager:", "ssm:"},
	'p': {"projects/"},
	'd': {"data:"},
	'u': {"urn:"},
	'r': {"ref+"},
}

// isProse reports whether s is a sentence: words with blanks between them.
func isProse(s string) bool {
	blanks := strings.Count(s, " ")
	if blanks == 0 {
		return false
	}
	return blanks >= 1 && wordy(s)
}

// isPassphrase reports whether s consists of 3 to 24 words in small letters, none
// of which is typical of sentences about passwords.
func isPassphrase(s string) bool {
	words := strings.Fields(s)
	if len(words) < 3 || len(words) > 24 {
		return false
	}
	for _, w := range words {
		if !isPlainWord(w) || len(w) < 3 || oneOf(w, sentenceWords) || namesItself(w) {
			return false
		}
	}
	return true
}

var sentenceWords = []string{"the", "your", "for", "must", "not", "and", "with", "has", "have", "was", "are", "this", "that", "from", "invalid", "enter", "here", "cannot", "empty", "user", "does", "should", "when", "too", "than", "use", "new", "old", "none", "list", "add", "get", "set", "you", "any", "can", "may", "value", "string", "test", "generate", "change", "delete", "create", "update", "show"}

// isLiteralNumber reports whether s is a number, a line and column, or a hex
// number as in code.
func isLiteralNumber(s string) bool {
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		return len(s) <= 18 && shapeOf(strings.ReplaceAll(s[2:], "_", "")).hex
	}
	if strings.Count(s, ":") > 0 && isNumber(strings.ReplaceAll(s, ":", "")) {
		return true
	}
	for i := range len(s) {
		if !isDigit(s[i]) && s[i] != ':' && s[i] != '.' && s[i] != '-' && (s[i]|0x20 != 'e' && s[i] != '+' || i == 0 || i+1 == len(s) || strings.IndexByte(s, '.') < 0) {
			return false
		}
	}
	return true
}

// mixedCase reports whether s is a run of letters unlike any word: capitals among
// small letters, and improbable neighbours.
func mixedCase(s string) bool {
	sh := shapeOf(s)
	return sh.n >= 8 && sh.others == 0 && sh.uppers > 0 && sh.lowers > 0 && !sh.words()
}

// isCode reports whether a value without quotes is an expression and not a
// literal.
func isCode(s string) bool {
	if k := strings.IndexByte(s, '('); k > 0 && isIdent(s[k-1]) || strings.HasPrefix(s, "@(") {
		return true
	}
	if isMember(s) {
		return true
	}
	if strings.ContainsAny(s, "({[") || strings.Contains(s, "::") || strings.Contains(s, "->") {
		return !generated(s) && !strings.ContainsAny(s, "!@#$%^") && !manySigns(s)
	}
	if strings.IndexByte(s, '.') > 0 && wordy(s) {
		return true
	}
	if k := strings.IndexByte(s, '='); k > 1 && isIdent(s[k-1]) && strings.Trim(s[k:], "=") != "" && (wordy(s[:k]) || s[k+1] == '=') {
		return true
	}
	return namesItself(s)
}

// isMember reports whether s accesses a part of a structure, as in code: a->b,
// a[i].b, *pkg.Type, cfg.nsxtPassword.
func isMember(s string) bool {
	if k := strings.Index(s, "->"); k > 0 && k+2 < len(s) && isIdent(s[k-1]) && isAlpha(s[k+2]) {
		return true
	}
	if k := lastDot(s); k > 0 && k+1 < len(s) && isAlpha(s[0]) && isNames(s) && saysWhatItHolds(s) {
		return true
	}
	if k := strings.Index(s, "?."); k > 0 && isPlainWord(s[:k]) && k+2 < len(s) && isNames(s[k+2:]) && (wordy(s[k+2:]) || saysWhatItHolds(s)) { // cfg?.apiKey
		return true
	}
	if strings.HasPrefix(s, "!!") && isTruth(s[2:]) {
		return true
	}
	if k := strings.Index(s, "]."); k > 0 && strings.IndexByte(s[:k], '[') > 0 {
		return true
	}
	t := strings.TrimLeft(s, "*&[]")
	if name := strings.TrimRight(t, ","); len(t) < len(s) && isNames(name) && len(name) >= minWord && (wordy(name) || endsAsKey(name)) { // *privateKey
		return true
	}
	k := strings.IndexByte(t, '.')
	return k > 1 && k+2 < len(t) && len(t) < len(s) && isLower(t[0]) && isAlnumOnly(t[:k]) && isUpper(t[k+1]) && isAlnumOnly(t[k+1:]) && wordy(t[k+1:])
}

// isTruth reports whether s is an operand of !! in JavaScript: an expression in
// parentheses, an element or a member, or a variable named after its content,
// possibly with a number that a bundler has appended.
func isTruth(s string) bool {
	if strings.HasPrefix(s, "(") {
		return true
	}
	k := 0
	for k < len(s) && isIdent(s[k]) {
		k++
	}
	if k == 0 || !isAlpha(s[0]) || !wordy(strings.TrimRight(s[:k], "0123456789")) {
		return false
	}
	if k < len(s) {
		return s[k] == '[' || s[k] == '.' && k+1 < len(s) && isAlpha(s[k+1])
	}
	return saysWhatItHolds(strings.TrimRight(s, "0123456789"))
}

// isNames reports whether s consists of identifiers without digits, joined by
// dots.
func isNames(s string) bool {
	for i := range len(s) {
		if !isAlpha(s[i]) && s[i] != '_' && s[i] != '.' {
			return false
		}
	}
	return true
}

// mentionsKey reports whether an identifier in camel case contains the word key,
// token or secret, and therefore refers to one.
func mentionsKey(s string) bool {
	if len(s) > maxName || !isAlnumOnly(s) {
		return false
	}
	var w words
	w.split(s)
	for i := range w.count {
		switch w.part(i) {
		case "key", "keys", "token", "secret", "password", "private":
			return true
		}
	}
	return false
}

// endsAsKey reports whether the last word of an identifier in camel case is key,
// token, secret or password, so that it refers to one: privEd25519Key.
func endsAsKey(s string) bool {
	for _, w := range [...]string{"Key", "Keys", "Token", "Secret", "Password"} {
		if k := len(s) - len(w); k > 1 && s[k:] == w && isLower(s[0]) && isAlnum(s[k-1]) && !isUpper(s[k-1]) {
			return isAlnumOnly(s)
		}
	}
	return false
}

// namesItself reports whether s consists of words, one of which indicates a
// secret: "db_password", "access-token".
func namesItself(s string) bool {
	if !wordy(s) || len(s) > maxName || containsDigit(s) && rareSigns(s) > 0 {
		return false
	}
	c, _, _ := classify(s)
	if c != classNone {
		return true
	}
	var w words
	w.split(s)
	for i := range w.count {
		if c, _ := partClass(w.part(i), ""); c != classNone {
			return true
		}
	}
	return false
}

func isPlainWord(s string) bool {
	for i := range len(s) {
		if !isLower(s[i]) {
			return false
		}
	}
	return true
}

func isAlnumOnly(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) {
			return false
		}
	}
	return true
}

// isCapitalised reports whether s is a word with a capital first letter.
func isCapitalised(s string) bool { return isUpper(s[0]) && isPlainWord(s[1:]) }

// wordy reports whether s consists of words, numbers and separators.
func wordy(s string) bool { return shapeOf(s).words() }
