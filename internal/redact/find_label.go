package redact

import (
	"strings"
	"unicode/utf8"
)

// Labels in other languages than English, which the names of read_name.go do
// not cover: they hold letters that no identifier has, or are several words.

// labelAt looks at a label at i, one of those in own, what joins it to a value,
// and the value, which goes where it is a password or a random key. It returns
// where to go on, or i.
func (f *finder) labelAt(i int, own []uint8) int {
	text := f.text
	if text[i] < 0x80 && (i > 0 && (isIdent(text[i-1]) || text[i-1] == '-') || len(text)-i < 5) {
		return i
	}
	for _, k := range own {
		l := &labels[k]
		if len(text)-i < len(l.word) || text[i] < 0x80 && (text[i+1]|0x20 != l.word[1]|0x20 || text[i+3]|0x20 != l.word[3]|0x20) || !strings.EqualFold(text[i:i+len(l.word)], l.word) {
			continue
		}
		j := i + len(l.word)
		if j < len(text) && isAlpha(text[j]) && text[j-1] < 0x80 {
			continue
		}
		if start := f.afterLabel(j); start > 0 {
			if end := f.labelled(l, start); end > 0 {
				return end
			}
		}
		return i
	}
	return i
}

// maxOwner bounds what may stand between a label and its verb or sign, in bytes.
const maxOwner = 60

// afterLabel returns where the value begins after a label that ends at i: behind
// a colon, a dash or a verb, with at most a few words before that; 0 where
// there is none.
func (f *finder) afterLabel(i int) int {
	text := f.text
	stop := min(len(text), i+maxOwner)
	for j, words := i, 0; j < stop && words <= 5; {
		switch b := text[j]; {
		case isBlank(b):
			j++
			continue
		case b == ':' || b == '=':
			return j + 1
		case b < ' ' || isQuote(b) && j > i || b == '.' || b == ',' || b == ';' || b == '(' || b == '|' || b == '<' || b == '/':
			return 0
		}
		for _, v := range labelVerbs {
			if !strings.HasPrefix(text[j:], v) {
				continue
			}
			e := j + len(v)
			if v[0] >= 0xE0 || e < len(text) && isBlank(text[e]) && j > i { // no blanks in Chinese, Japanese and Korean
				return e
			}
		}
		from := j
		for j < stop && text[j] > ' ' && text[j] != ':' && text[j] != '=' && (text[j] < 0xE0 || j == from) {
			j++
			for j < stop && text[j]&0xC0 == 0x80 {
				j++
			}
		}
		words++
	}
	return 0
}

// labelled hides the value at or after i that the label l announces, and
// returns its end; 0 where it is none.
func (f *finder) labelled(l *label, i int) int {
	text := f.text
	j, quoted := i, false
	for j < len(text) {
		r, size := utf8.DecodeRuneInString(text[j:])
		if strings.ContainsRune("\"'`«»„“”「『《（【", r) {
			quoted = true
		} else if r != ' ' && r != '\t' && r != '：' && r != 0xA0 && r != 0x3000 && r != 0x202F {
			break
		}
		j += size
	}
	end := j
	for end < len(text) && end-j < maxTangle && text[end] > ' ' && text[end] < 0x7F && !isQuote(text[end]) {
		end++
	}
	for end > j && strings.IndexByte(".,;:)]>", text[end-1]) >= 0 {
		end--
	}
	if end-j < minWord {
		return 0
	}
	s := text[j:end]
	if isPlaceholder(s) || isReference(s) || isEncrypted(s) || isDigest(s) || isAlgorithm(s) || isMachineType(s) || isLiteralNumber(s) {
		return 0
	}
	if l.kind == kindPassword {
		if !mixedWord(s) && !isTangle(s) && !(quoted && hasMixture(s)) && !looksRandom(s) {
			return 0
		}
	} else if tokenEnd := f.tokenAt(j); tokenEnd != end && (len(s) < minWeak || !generated(s)) {
		return 0
	}
	f.add(j, end, l.kind, rankName)
	return end
}
