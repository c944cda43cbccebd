package redact

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// index finds what may begin at a position by the first two characters. It
// depends only on the tables, and is built once when the package is first used.
type index struct {
	heads         [1 << 10]uint64       // one bit for each pair of bytes at which something may begin
	formats       [1 << 14]uint16       // 1 + the first format for a pair of ASCII characters
	thirds        [len(formats)]charset // the characters that follow this pair, by the first format
	inRun         [256]bool             // the characters of base64Run
	plain         [256]bool             // the characters at which no disguise begins
	labels        [256][]uint8          // the labels that begin with a byte, in small letters or in capitals
	phraseWords   []string              // the words of recovery phrases, sorted
	phraseNumbers [phraseSlots]uint16   // 1 + their indexes, in a hash table
	labelHeads    [1 << 10]uint64       // one bit for each pair of bytes at which a label may begin
	keywords      [27]uint8             // the keywords that begin with letter b are keywords[b] to keywords[b+1]
}

var builtinIndex = sync.OnceValue(newIndex)

func newIndex() *index {
	ix := new(index)
	for r := len(formats) - 1; r >= 0; r-- {
		a, b := formats[r].prefix[0], formats[r].prefix[1]
		ix.add(a, b)
		if pair := asciiPair(a, b); ix.formats[pair] != 0 {
			ix.thirds[r] = ix.thirds[ix.formats[pair]-1]
		}
		ix.thirds[r] = ix.thirds[r].withThird(formats[r].prefix)
		ix.formats[asciiPair(a, b)] = uint16(r + 1)
	}
	k := 0
	for letter := range 26 {
		ix.keywords[letter] = uint8(k)
		for ; k < len(keywords) && int(keywords[k][0]-'a') == letter; k++ {
			a, b := keywords[k][0], keywords[k][1]
			ix.add(a, b)
			ix.add(a-0x20, b)
			ix.add(a-0x20, b-0x20)
			ix.add(a, b-0x20)
		}
	}
	ix.keywords[26] = uint8(k)
	for b := range 256 {
		ix.inRun[b] = charsets[base64Run].has(byte(b))
		ix.plain[b] = b >= ' ' && b < 0x7F && !disguises.has(byte(b)) || b == '\t' || b == '\n' || b == '\r'
	}
	ix.addStructures()
	ix.addLabels()
	ix.phraseWords = phraseWords()
	for n := range ix.phraseWords {
		ix.addPhraseWord(n)
	}
	return ix
}

func (ix *index) addStructures() {
	for _, h := range structureHeads {
		ix.add(h[0], h[1])
	}
	for b := byte('0'); b <= '9'; b++ {
		ix.add(digitAfter, b)
	}
	for _, a := range []byte(anyAfter) {
		for b := byte('0'); b <= 'z'; b++ {
			if isAlnum(b) {
				ix.add(a, b)
			}
		}
	}
}

// addLabels adds each label in small letters, with an initial capital, and in
// capitals.
func (ix *index) addLabels() {
	for i := range labels {
		w := labels[i].word
		_, n := utf8.DecodeRuneInString(w)
		for _, s := range [...]string{w, strings.ToUpper(w[:n]) + w[n:], strings.ToUpper(w)} {
			ix.add(s[0], s[1])
			addPair(&ix.labelHeads, s[0], s[1])
			if own := ix.labels[s[0]]; len(own) == 0 || own[len(own)-1] != uint8(i) {
				ix.labels[s[0]] = append(own, uint8(i))
			}
		}
	}
}

func (ix *index) add(a, b byte) { addPair(&ix.heads, a, b) }

func (ix *index) has(a, b byte) bool { return hasPair(&ix.heads, a, b) }

// addPair sets the bit of a pair of bytes.
func addPair(set *[1 << 10]uint64, a, b byte) {
	pair := uint(a)<<8 | uint(b)
	set[pair>>6] |= 1 << (pair & 63)
}

func hasPair(set *[1 << 10]uint64, a, b byte) bool {
	pair := uint(a)<<8 | uint(b)
	return set[pair>>6]>>(pair&63)&1 != 0
}

func asciiPair(a, b byte) uint { return uint(a&0x7F)<<7 | uint(b&0x7F) }
