package redact

import (
	"strings"
	"unicode/utf8"
)

// Labels in languages other than English, which the names of read_name.go do not
// cover: they contain letters that are not used in identifiers, or consist of
// several words.

// labelAt looks for one of the labels in own at i, and for its value after or
// before it. It returns where to continue, or i.
func (f *finder) labelAt(i int, own []uint8) int {
	text := f.text
	if len(text)-i < minLabel {
		return i
	}
	glued := text[i] < 0x80 && i > 0 && (isIdent(text[i-1]) || strings.IndexByte("-/.\\@$#&+", text[i-1]) >= 0)
	for _, k := range own {
		l := &labels[k]
		if glued && !isCompound(l.word) {
			continue
		}
		if len(text)-i < len(l.word) || text[i] < 0x80 && (text[i+1]|0x20 != l.word[1]|0x20 || text[i+2]|0x20 != l.word[2]|0x20) || !strings.EqualFold(text[i:i+len(l.word)], l.word) {
			continue
		}
		j := i + len(l.word)
		if j < len(text) && isAlpha(text[j]) && text[j-1] < 0x80 && !strings.HasSuffix(l.word, " acce") {
			continue
		}
		return max(i, f.labelledValue(i, f.afterEnding(j), l.kind))
	}
	return i
}

// minLabel is the length of the shortest text that contains a label and a value,
// in bytes.
const minLabel = 5

// isCompound reports whether a label may be the end of a longer word, as in
// German: Zugriffsschlüssel.
func isCompound(word string) bool { return word == "schlüssel" || word == "geheimnis" }

// maxInflection limits the ending of a word, in bytes.
const maxInflection = 12

// afterEnding skips the letters at i that end the same word: small ASCII letters
// and Russian letters.
func (f *finder) afterEnding(i int) int {
	text := f.text
	j := i
	for j < len(text) && j-i < maxInflection {
		switch b := text[j]; {
		case isLower(b):
			j++
		case (b == 0xD0 || b == 0xD1) && j+1 < len(text):
			j += 2
		default:
			return j
		}
	}
	return j
}

// valueInSentence hides a value that a sentence gives for the name n. It returns where to
// continue, or 0 if the sentence gives none.
func (f *finder) valueInSentence(n name) int {
	if n.class < classMiddling && n.kind != kindAPIKey || f.isVerb(n) {
		return 0
	}
	if n.class < classMiddling { // it may be the key of a cache
		v, ok := f.spokenAfter(n.end, n.kind)
		if !ok || v.joint != jointSays || !f.inSentence(n) {
			return 0
		}
	}
	if f.inSentence(n) {
		return f.labelledValue(n.start, n.end, n.kind)
	}
	if v, ok := f.spokenBefore(n.start, n.kind); ok {
		f.add(v.start, v.end, n.kind, rankName)
		return n.end
	}
	return 0
}

// inSentence reports whether n is a word in a sentence: it is followed by a blank
// or a possessive, and not by an operator, which would have been read before.
func (f *finder) inSentence(n name) bool {
	text := f.text
	if n.start > 0 && (text[n.start-1] > ' ' && text[n.start-1] < 0x80 && strings.IndexByte("\"'`(*_-", text[n.start-1]) < 0) || n.end+1 >= len(text) {
		return false
	}
	next := text[n.end]
	if next != ' ' && next < 0x80 && !f.hasAt(n.end, ", ") && !f.hasAt(n.end, "'s ") {
		return false
	}
	for i := n.start; i < n.end; i++ {
		if b := text[i]; b == '.' || (b == '_' || i > n.start && isUpper(b) && isLower(text[i-1])) && !envName(text[n.start:n.end]) {
			return false
		}
	}
	k := skipBlank(text, n.end)
	if next == ',' {
		k++
	}
	return k < len(text) && text[k] > ' ' && strings.IndexByte("=:<>|&/+.;\\", text[k]) < 0
}

// labelledValue hides the value, of the given kind, that the words from start to end
// refer to. It returns the end of the value, or the end of the words if the value
// is before them, or 0 if there is no value.
func (f *finder) labelledValue(start, end int, kind string) int {
	if v, ok := f.spokenAfter(end, kind); ok {
		f.add(v.start, v.end, spokenKind(kind), rankName)
		return v.end
	}
	if v, ok := f.spokenBefore(start, kind); ok {
		f.add(v.start, v.end, spokenKind(kind), rankName)
		return end
	}
	return 0
}

// spokenKind returns the kind of a value that follows a user's name and a sign.
func spokenKind(kind string) string {
	if kind == kindCredential {
		return kindPassword
	}
	return kind
}

// spokenBefore reads the value before the words at i that say how it is used: use
// X as the password.
func (f *finder) spokenBefore(i int, kind string) (spoken, bool) {
	from := max(0, i-maxJudged)
	head := f.text[from:i]
	for head != "" && head[len(head)-1] == ' ' {
		head = head[:len(head)-1]
	}
	if len(head) < minWord {
		return spoken{}, false
	}
	for _, word := range asWords {
		rest, ok := cutSuffixFold(head, word)
		if !ok || word[0] < 0x80 && !strings.HasSuffix(rest, " ") {
			continue
		}
		end := from + len(strings.TrimRight(rest, " "))
		v := spoken{end: end, joint: jointLoose}
		if r, size := utf8.DecodeLastRuneInString(f.text[:end]); strings.ContainsRune(closingQuotes, r) {
			v.quoted, v.end = true, end-size
		}
		for v.start = v.end; v.start > 0 && v.end-v.start < maxTangle && f.text[v.start-1] > ' ' && f.text[v.start-1] < 0x7F && !isQuote(f.text[v.start-1]); {
			v.start--
		}
		if v.end-v.start < minWord {
			return spoken{}, false
		}
		if s := f.text[v.start:v.end]; kind == kindPassword && (digits(s) >= minPlaceDigits && mixedWord(s) && !isPlainID(s) || isWordsAndNumber(s)) {
			v.joint = jointTo
		}
		return v, f.isSpoken(v, kind)
	}
	return spoken{}, false
}

// cutSuffixFold cuts word, which is in lower case, from the end of s, ignoring
// case.
func cutSuffixFold(s, word string) (string, bool) {
	if len(s) < len(word) || lower(s[len(s)-1]) != word[len(word)-1] || lower(s[len(s)-len(word)]) != word[0] || !strings.EqualFold(s[len(s)-len(word):], word) {
		return s, false
	}
	return s[:len(s)-len(word)], true
}
