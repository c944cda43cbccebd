package redact

import (
	"crypto/sha256"
	_ "embed"
	"slices"
	"strings"
)

// Recovery phrases of wallets (BIP 39): 12, 15, 18, 21 or 24 words from a list of
// 2,048. The last words contain a checksum, so that no name is needed near them.

//go:embed bip39.txt
var phraseList string

const (
	minPhrase     = 12 // words of a phrase, at least
	maxPhrase     = 24 // and at most
	maxLooseRun   = 32 // if there are more words in a row, a phrase must fill its line
	maxPhraseRun  = 128
	minPhraseLen  = 47 // characters of the shortest phrase: 12 words of three letters
	maxPhraseGap  = 8  // characters between two words: a blank, a line number, a quote and a comma
	phraseBits    = 11 // bits of one word
	bitsPerCheck  = 33 // bits in three words, one of which belongs to the checksum
	phraseStep    = 3  // the possible lengths of phrases are multiples of this
	maxPhraseWord = 8  // letters
)

// phraseWord is a word of the list in the text.
type phraseWord struct{ start, end, number int }

// phrases hides the recovery phrases in the text. It checks only every
// minPhraseLen-th character, because each phrase is at least that long.
func (f *finder) phrases() {
	for i := minPhraseLen - 1; i < len(f.text); {
		at, ok := f.phraseWordAt(i)
		if !ok {
			i = max(i+1, at.end) + minPhraseLen - 1
			continue
		}
		run := f.phraseRun(at)
		f.phrasesIn(run)
		i = run[len(run)-1].end + minPhraseLen
	}
}

// phraseWordAt reads the word that contains position i or begins immediately
// after it, and reports whether it is in the list. If it is not, its end is where
// to continue.
func (f *finder) phraseWordAt(i int) (phraseWord, bool) {
	text := f.text
	for k := 0; k < maxPhraseGap && i < len(text) && isPhraseGap(text[i]); k++ {
		i++
	}
	start := i
	for start > 0 && i-start < maxPhraseWord && isLower(text[start-1]) {
		start--
	}
	return f.phraseWordFrom(start)
}

// phraseWordFrom reads the word that begins at start.
func (f *finder) phraseWordFrom(start int) (phraseWord, bool) {
	text := f.text
	end := start
	for end < len(text) && end-start <= maxPhraseWord && isLower(text[end]) {
		end++
	}
	w := phraseWord{start: start, end: end}
	if end-start < 3 || start > 0 && isIdent(text[start-1]) || end < len(text) && isIdent(text[end]) {
		return w, false
	}
	w.number = f.ix.phraseNumber(text[start:end])
	return w, w.number >= 0
}

// isPhraseGap reports whether b may be between two words of a phrase.
func isPhraseGap(b byte) bool {
	return isSpace(b) || isDigit(b) || b == ',' || b == '"' || b == '\'' || b == '.' || b == ')'
}

// phraseRun returns the consecutive words of the list around at, at most
// maxPhraseRun+1 of them. The next call overwrites the result.
func (f *finder) phraseRun(at phraseWord) []phraseWord {
	f.phrase = append(f.phrase[:0], at)
	run := f.phrase
	for len(run) <= maxPhraseRun {
		w, ok := f.wordBeforeGap(run[len(run)-1].start)
		if !ok {
			break
		}
		run = append(run, w)
	}
	slices.Reverse(run)
	for len(run) <= maxPhraseRun {
		j := run[len(run)-1].end
		k := j
		for k < len(f.text) && k-j < maxPhraseGap && isPhraseGap(f.text[k]) {
			k++
		}
		w, ok := f.phraseWordFrom(k)
		if k == j || !ok {
			break
		}
		run = append(run, w)
	}
	f.phrase = run
	return run
}

// wordBeforeGap reads the word of the list that is separated from i by a gap.
func (f *finder) wordBeforeGap(i int) (phraseWord, bool) {
	j := i
	for j > 0 && i-j < maxPhraseGap && isPhraseGap(f.text[j-1]) {
		j--
	}
	if j == i || j == 0 || !isLower(f.text[j-1]) {
		return phraseWord{}, false
	}
	return f.phraseWordAt(j - 1)
}

// phrasesIn hides the phrases in a run of words, which are those with a correct
// checksum.
func (f *finder) phrasesIn(run []phraseWord) {
	if len(run) > maxLooseRun {
		for _, line := range f.phraseLines(run) {
			f.phraseIn(line)
		}
		return
	}
	f.phraseIn(run)
}

// phraseLines returns the lines of a run that contain as many words as a phrase.
func (f *finder) phraseLines(run []phraseWord) [][]phraseWord {
	var lines [][]phraseWord
	first := 0
	for k := 1; k <= len(run); k++ {
		if k < len(run) && strings.IndexByte(f.text[run[k-1].end:run[k].start], '\n') < 0 {
			continue
		}
		if n := k - first; n >= minPhrase && n <= maxPhrase {
			lines = append(lines, run[first:k])
		}
		first = k
	}
	return lines
}

// phraseIn hides the longest phrase with a correct checksum in a run of words.
func (f *finder) phraseIn(run []phraseWord) {
	for n := maxPhrase; n >= minPhrase; n -= phraseStep {
		for first := 0; first+n <= len(run); first++ {
			if isPhrase(run[first : first+n]) {
				f.add(run[first].start, run[first+n-1].end, kindSecret, rankFormat)
				return
			}
		}
	}
}

// maxRepeated is the maximum number of repeated words in a phrase. Lists of true
// and false repeat more words.
const maxRepeated = 3

// repeats counts the words that also occur earlier in the list.
func repeats(words []phraseWord) int {
	n := 0
	for i, w := range words {
		if slices.ContainsFunc(words[:i], func(x phraseWord) bool { return x.number == w.number }) {
			n++
		}
	}
	return n
}

// isPhrase reports whether words look like randomly drawn words and have a
// correct checksum: the last bit of each 33 is a bit of the SHA-256 of the
// others.
func isPhrase(words []phraseWord) bool {
	if repeats(words) > maxRepeated {
		return false
	}
	bits := len(words) * phraseBits
	check := bits / bitsPerCheck
	var data [(maxPhrase*phraseBits + 7) / 8]byte
	for i, w := range words {
		for k := range phraseBits {
			if at := i*phraseBits + k; w.number>>(phraseBits-1-k)&1 != 0 {
				data[at/8] |= 0x80 >> (at % 8)
			}
		}
	}
	size := (bits - check) / 8
	sum := sha256.Sum256(data[:size])
	return data[size]>>(8-check) == sum[0]>>(8-check)
}

// phraseSlots is the size of the hash table of the list's words, twice their
// number.
const phraseSlots = 1 << 12

// phraseSlot returns where to begin the search in that table for a word of three
// letters or more. The first four letters of each word are unique in the list.
func phraseSlot(s string) uint32 {
	key := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16
	if len(s) > 3 {
		key |= uint32(s[3]) << 24
	}
	return key * 0x9E3779B1 >> 20
}

// addPhraseWord adds the n-th word of the list to the table.
func (ix *index) addPhraseWord(n int) {
	slot := phraseSlot(ix.phraseWords[n])
	for ix.phraseNumbers[slot] != 0 {
		slot = (slot + 1) % phraseSlots
	}
	ix.phraseNumbers[slot] = uint16(n + 1)
}

// phraseNumber returns the index of s, which has at least three small letters, in
// the list, or -1.
func (ix *index) phraseNumber(s string) int {
	for slot := phraseSlot(s); ; slot = (slot + 1) % phraseSlots {
		n := int(ix.phraseNumbers[slot]) - 1
		if n < 0 || ix.phraseWords[n] == s {
			return n
		}
	}
}

// phraseWords returns the list, which is sorted.
func phraseWords() []string { return strings.Fields(phraseList) }
