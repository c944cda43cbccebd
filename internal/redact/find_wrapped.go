package redact

import "strings"

// Tokens that a terminal or a mail program has broken into lines.

const (
	maxWraps       = 40  // maximum number of lines of one token
	minWrapped     = 40  // minimum length of a line that is broken
	maxWrapped     = 400 // maximum length of a line that is considered
	minWrapTail    = 6   // minimum length of a further line
	maxShortCommit = 12  // maximum length of an abbreviated commit
	minLongToken   = 60  // tokens of a format with a smaller maximum are never continued
)

// wrapped returns the end of the token that begins at start and ends a long line
// at end, if it continues in the lines below: each begins with more body
// characters that are neither words nor another token. The token has at most
// limit characters.
func (f *finder) wrapped(b body, start, end, limit int) int {
	n := end - start
	for range maxWraps {
		j := f.nextLine(end)
		if j == 0 || end-strings.LastIndexByte(f.text[max(0, end-maxWrapped):end], '\n')-1-max(0, end-maxWrapped) < minWrapped {
			return end
		}
		k := f.runEnd(b, j)
		if n += k - j; n > limit || !f.isTail(end, j, k) {
			return end
		}
		end = k
	}
	return end
}

// minWrapWidth is the minimum width of the lines into which a value without a
// format can have been broken. Terminals and mail have 64 or more.
const minWrapWidth = 60

// wrappedValue returns the end of a random value, without quotes and without a
// published format, that may continue in the lines below. It continues if it ends
// a line of at least minWrapWidth characters and the lines below contain nothing
// else. All lines but the last are as wide as the first, and the last is not
// wider.
func (f *finder) wrappedValue(v value) int {
	text, end := f.text, v.end
	width := end - lineStart(text, v.start)
	if width < minWrapWidth || width > maxWrapped || end-v.start < minNear || !generated(text[v.start:end]) || f.runEnd(base64Run, v.start) < end {
		return v.end
	}
	for lines := range maxWraps {
		j := f.nextLine(end)
		if j == 0 {
			return end
		}
		k := f.paddedEnd(j)
		n := k - lineStart(text, j)
		if n > width || !endsLine(text, k) || k-v.start > maxValue || !f.isTail(end, j, k) || lines == 0 && !looksRandom(text[j:k]) {
			return end
		}
		if end = k; n < width {
			return end
		}
	}
	return end
}

// nextLine returns where the text of the next line begins, without indentation
// and quotation marks of mail, if the line ends at i; otherwise 0. A backslash or
// a = before the break is skipped.
func (f *finder) nextLine(i int) int {
	text := f.text
	if i < len(text) && (text[i] == '\\' || text[i] == '=') {
		i++
	}
	if i < len(text) && text[i] == '\r' {
		i++
	}
	if i >= len(text) || text[i] != '\n' {
		return 0
	}
	j := i + 1
	for j < len(text) && j-i < maxGap && (isBlank(text[j]) || text[j] == '>' || text[j] == '|') {
		j++
	}
	if j >= len(text) || isSpace(text[j]) {
		return 0
	}
	return j
}

// isTail reports whether the run from j to k may be the rest of a token that is
// broken at end: it is a separate word, does not consist of words, and is not
// itself a token, id or name. Hex digits continue hex digits, unless they have
// the length of a commit.
func (f *finder) isTail(end, j, k int) bool {
	text := f.text
	s := text[j:k]
	if len(s) < minWrapTail || k < len(text) && strings.IndexByte("=:({[@/\\", text[k]) >= 0 && !f.breaksAt(k) {
		return false
	}
	hex := shapeOf(s).hex && isHex(text[end-1]) && len(s) > maxShortCommit && len(s) != 32 && !isHashLength(len(s))
	if isPlainID(s) && !hex && strings.ToLower(s) == s || isObjectName(s) || s[0] == '-' && len(s) < minContext && !mixedTail(s[1:]) {
		return false
	}
	if end, _ := f.formatAt(j); end > 0 || f.hasAt(j, "eyJ") {
		return false
	}
	sh := shapeOf(s)
	if hex {
		return true
	}
	if chopped(s) {
		return true
	}
	if sh.words() && (sh.digits < 3 || sh.switches < 2) {
		return false
	}
	return sh.random() || (sh.digits > 0 || sh.uppers > 0) && sh.switches > 1
}

// mixedTail reports whether s, after a hyphen, is the rest of a token and not an
// option or an item of a list: small letters and capitals that alternate often,
// unlike in words.
func mixedTail(s string) bool {
	sh := shapeOf(s)
	return sh.lowers > 1 && sh.uppers > 1 && sh.switches >= 3 && sh.quarters() >= 20
}

// chopped reports whether the camel-case words in s are too short for real words:
// ZgISeDAA.
func chopped(s string) bool {
	if len(s) > maxName {
		return false
	}
	var w words
	w.split(s)
	return w.count >= 3 && len(s) < 3*w.count
}

// breaksAt reports whether the line ends with the sign at i.
func (f *finder) breaksAt(i int) bool { return f.nextLine(i) > 0 || f.hasAt(i, "=\n") }
