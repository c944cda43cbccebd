package redact

import "strings"

const (
	minLoose = 12 // minimum length of a password without signs after other words

	minSpokenKey   = 20 // minimum length of a key that follows its label directly
	minLooseKey    = 24 // and of a key after other words
	minPlaceDigits = 3  // digits of a word with a number that may be the name of a place
	maxLooseWords  = 3  // words between a label and a value that are not joined by a verb
)

// isSpoken reports whether v is a secret, after a label of the given kind. The
// looser the connection between the two, the more the value must look like one.
func (f *finder) isSpoken(v spoken, kind string) bool {
	s := f.text[v.start:v.end]
	if isHarmlessWordIn(s) || hasFold(f.text, v.start-len("public key is "), "public key is ") || hasFold(f.text, v.start-len("public key: "), "public key: ") || kind == kindCredential && !v.pair || v.joint != jointSays && isIdentifier(s) {
		return false
	}
	if kind == kindPassword || kind == kindCredential {
		return f.isSpokenPassword(v, s)
	}
	if f.tokenAt(v.start) == v.end {
		return true
	}
	if len(s) < minWeak || !generated(s) || isNamingID(s) {
		return false
	}
	switch v.joint {
	case jointSays:
		return v.others == 0 || v.others <= maxLooseWords && !isPlainID(s)
	case jointNext, jointTo:
		return len(s) >= minSpokenKey && !isPlainID(s) && !f.innocent(s, v.start, v.end)
	}
	return v.words <= maxLooseWords && len(s) >= minLooseKey && !isPlainID(s) && !f.innocent(s, v.start, v.end)
}

// isSpokenPassword reports whether s, the text of the value v, is a password.
func (f *finder) isSpokenPassword(v spoken, s string) bool {
	if isPlainID(s) && (v.joint != jointSays || v.others > 0 || v.place || len(s) < minWeak && !v.colon) || isNamingID(s) && v.joint < jointTo && !isWordsAndNumber(s) {
		return false
	}
	if isEmphatic(s) {
		return v.joint != jointLoose || v.words <= maxLooseWords && (len(s) >= minLoose || rareSigns(s) > 0) && strings.ToUpper(s) != s
	}
	mixed := mixedWord(s) || v.quoted && rareSigns(s) > 0
	switch v.joint {
	case jointSays, jointTo:
		if v.others > maxLooseWords || v.place && digits(s) < minPlaceDigits {
			return false
		}
		sh := shapeOf(s)
		return (mixed || sh.random() || isWordsAndNumber(s) || sh.kinds() == 4 && !beginsCall(s) && !holdsTemplate(s)) && !f.isPlace(v.end)
	case jointNext:
		return mixed || isWordsAndNumber(s)
	}
	return false
}

// isHarmlessWordIn reports whether s, a word of a sentence, has a form that is
// known to be harmless.
func isHarmlessWordIn(s string) bool {
	if hasFold(s, 0, "did:") || strings.HasPrefix(s, `{"`) || strings.Contains(s, ";base64,") || strings.IndexByte(s, '\\') >= 0 || strings.IndexByte(s, '/') >= 0 && wordy(s) || isDottedName(s) || isFlagOrMention(s) || isPlaceholder(s) || isReference(s) || isEncrypted(s) || isDigest(s) || isAPIVersion(s) || isDuration(s) {
		return true
	}
	return namesAlgorithm(s) || isMachineType(strings.TrimLeft(s, "*&[]")) || isLiteralNumber(s) || isDotted(s) || isPublicKey(s) || isMail(s) || beginsCall(s) && !isScrambled(s, shapeOf(s)) || assignsIn(s)
}

// assignsIn reports whether s contains an assignment to a name: user.id=42.
func assignsIn(s string) bool {
	k := strings.IndexByte(s, '=')
	return k > 2 && k+1 < len(s) && wordy(s[:k]) && !isScrambled(s, shapeOf(s)) && !strings.ContainsFunc(s[:k], func(r rune) bool { return r >= 0x80 || !isIdent(byte(r)) && r != '.' && r != '-' })
}

// isIdentifier reports whether s, optionally after the signs of a pointer or a
// list, is an identifier in code that consists of words and numbers.
func isIdentifier(s string) bool {
	pointer := s[0] == '*'
	s = strings.TrimRight(strings.TrimLeft(s, "*&[]"), "*")
	humps := 0
	for i := range len(s) {
		if !isIdent(s[i]) && s[i] != '.' {
			return false
		}
		if i > 0 && (isUpper(s[i]) && !isUpper(s[i-1]) || s[i] == '_' || s[i] == '.') {
			humps++
		}
	}
	return humps > 0 && !wordAndNumber(s) && (pointer || wordy(s))
}

// isDottedName reports whether s consists of identifiers joined by dots, the
// first a word in small letters: config.core.v3.Source.
func isDottedName(s string) bool {
	k := strings.IndexByte(s, '.')
	return k >= 2 && isPlainWord(s[:k]) && wordy(s) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == ""
}

// isFlagOrMention reports whether s is an option of a command, or somebody's name
// after an @.
func isFlagOrMention(s string) bool {
	return (s[0] == '-' || s[0] == '@') && !looksRandom(s) && !strings.ContainsFunc(strings.TrimLeft(s, "-@"), func(r rune) bool { return r >= 0x80 || !isIdent(byte(r)) && r != '-' && r != '.' && r != '=' })
}

// namesAlgorithm reports whether s is the name of an algorithm with its number,
// optionally followed by letters: argon2id.
func namesAlgorithm(s string) bool {
	if isAlgorithm(s) {
		return true
	}
	for _, a := range algorithms {
		if tail := s[min(len(s), len(a)):]; len(a) > 2 && hasFold(s, 0, a) && len(tail) < maxAlgorithmTail && isAlnumOnly(tail) && tail != "" && isDigit(tail[0]) {
			return true
		}
	}
	return false
}

// maxAlgorithmTail limits what may follow the name of an algorithm, in bytes.
const maxAlgorithmTail = 12

// isMail reports whether s looks like an email address: a name, an @ and a name
// with a dot.
func isMail(s string) bool {
	k := strings.IndexByte(s, '@')
	if k < 1 || strings.IndexByte(s[k+1:], '.') < 1 {
		return false
	}
	for i := range len(s) {
		if !isIdent(s[i]) && strings.IndexByte("@.-+", s[i]) < 0 {
			return false
		}
	}
	return true
}

// isEmphatic reports whether s, a word of a sentence, can hardly be anything but
// a password: it has signs and digits among its letters as no word has.
func isEmphatic(s string) bool {
	sh := shapeOf(s)
	if sh.digits == 0 || sh.lowers+sh.uppers < 2 || sh.n < minTangle {
		return false
	}
	if isTangle(s) || sh.uppers > 0 && sh.lowers > 0 && sh.random() && !sh.words() {
		return true
	}
	k := 0
	for k < len(s) && isAlpha(s[k]) {
		k++
	}
	if k < 4 || !isUpper(s[0]) || sh.digits < 2 || rareSigns(s) == 0 || strings.ContainsAny(s, "()[]{}/\\=") {
		return false
	}
	return !(s[k] == '#' && isNumber(s[k+1:])) // Issue#1234
}

// isWordsAndNumber reports whether s consists of two or more words and a number,
// joined by hyphens, as made by generators of memorable passwords, or of three
// groups of six letters and digits, as made by browsers.
func isWordsAndNumber(s string) bool {
	if len(s) == 20 && s[6] == '-' && s[13] == '-' && isAlnumOnly(s[:6]+s[7:13]+s[14:]) {
		return containsDigit(s) && mixedCase(s)
	}
	k := strings.LastIndexByte(s, '-')
	if k < 0 || len(s)-k < 3 || !isNumber(s[k+1:]) {
		return false
	}
	words := strings.Split(s[:k], "-")
	for _, w := range words {
		if len(w) < 3 || !isPlainWord(strings.ToLower(w)) {
			return false
		}
	}
	return len(words) >= 2
}

// isPlace reports whether the text after i says that something is in what
// precedes it.
func (f *finder) isPlace(i int) bool {
	rest := strings.TrimLeft(f.text[i:min(len(f.text), i+8)], " ")
	for _, p := range placeAfter {
		if strings.HasPrefix(rest, p) {
			return true
		}
	}
	return false
}

// digits counts the digits of s.
func digits(s string) int {
	n := 0
	for i := range len(s) {
		if isDigit(s[i]) {
			n++
		}
	}
	return n
}
