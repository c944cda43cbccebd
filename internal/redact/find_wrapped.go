package redact

import "strings"

// Tokens that a terminal or a mail program has broken into lines.

const (
	maxWraps       = 40  // lines of one token
	minWrapped     = 40  // characters of a line that is broken
	maxWrapped     = 400 // characters of a line that are counted
	minWrapTail    = 6   // characters of a further line
	maxShortCommit = 12  // digits that commits are cut to
	minLongToken   = 60  // formats that may be shorter only are never broken after their end
)

// wrapped returns the end of the token that stands from start to end where it
// goes on in the lines below: a long line ends with it, and the next one
// begins with more characters of body that are not words and no other token.
// The token has at most limit characters.
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

// minWrapWidth is the width of the narrowest lines that a value without a
// format is taken to be broken into: terminals and mail have 64 and more.
const minWrapWidth = 60

// wrappedValue returns the end of a random value without quotes and without a
// published format, where it goes on in the lines below: it ends a line of at
// least minWrapWidth characters, and the lines below hold nothing else. All but
// the last are as wide as the first, and the last one is no wider.
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

// nextLine returns where the text of the next line begins, without indent and
// the marks of quotations, where the line ends at i; 0 where it goes on. A
// backslash or a = before the break is part of it.
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
// broken at end: it stands by itself, is not made of words, and is not a token, id
// or name of its own. Hex digits go on where hex digits were, if they are not
// as many as a commit has.
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

// mixedTail reports whether s, behind a hyphen, is the rest of a token rather
// than an option or an item of a list: small letters and capitals that change
// often, and like no words.
func mixedTail(s string) bool {
	sh := shapeOf(s)
	return sh.lowers > 1 && sh.uppers > 1 && sh.switches >= 3 && sh.quarters() >= 20
}

// chopped reports whether the words of camel case in s are too short for words:
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
