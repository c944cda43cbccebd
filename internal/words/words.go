// Package words finds the terms of a search in texts.
//
// A word is a sequence of letters, digits and the marks on them; everything else
// separates words. Two words are equal if they differ only in case and accents. This
// depends on neither a store nor a locale, so that a search finds the same
// everywhere.
package words

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"example.org/bridge/internal/bridge"
)

// Finder searches texts for the terms of one search. It is not safe for concurrent
// use.
type Finder struct {
	terms  []term
	pieces []piece // what a text must contain, for a quick check
	words  []word  // of the last text, kept to reuse their memory
}

// term is a sequence of folded words.
type term struct {
	words  []string
	prefix bool
}

// New returns a finder for texts that contain all of terms. A term without a
// word, such as a dash, is ignored; if there are only such terms, nothing is
// found.
func New(terms []bridge.SearchTerm) *Finder {
	f := new(Finder)
	for _, t := range terms {
		var folded []string
		for _, w := range split(nil, t.Words) {
			if w.folded != "" {
				folded = append(folded, w.folded)
				f.pieces = append(f.pieces, piecesOf(w.folded)...)
			}
		}
		if len(folded) > 0 {
			f.terms = append(f.terms, term{folded, t.Prefix})
		}
	}
	// Long pieces are rarer.
	slices.SortStableFunc(f.pieces, func(a, b piece) int { return cmp.Compare(b.end, a.end) })
	return f
}

// Empty reports whether no term has a word, so that nothing is found.
func (f *Finder) Empty() bool { return len(f.terms) == 0 }

// Find returns the text with bridge.MarkBegin and bridge.MarkEnd around each occurrence
// of a term, and false if one of the terms does not occur. Adjacent occurrences are
// marked as one.
func (f *Finder) Find(text string) (marked string, ok bool) {
	if f.Empty() {
		return "", false
	}
	for i := range f.pieces {
		if !f.pieces[i].mayBeIn(text) {
			return "", false
		}
	}
	f.words = split(f.words[:0], text)
	var spans []span
	for _, t := range f.terms {
		found := t.in(f.words)
		if len(found) == 0 {
			return "", false
		}
		spans = append(spans, found...)
	}
	return mark(text, spans), true
}

// span is a part of a text, in bytes.
type span struct{ start, end int }

// in returns the occurrences of a term among the words of a text.
func (t term) in(words []word) (spans []span) {
	last := len(t.words) - 1
	for i := 0; i+last < len(words); i++ {
		follows := true
		for j, w := range t.words {
			have := words[i+j].folded
			if have != w && (j < last || !t.prefix || !strings.HasPrefix(have, w)) {
				follows = false
				break
			}
		}
		if follows {
			spans = append(spans, span{words[i].start, words[i+last].end})
		}
	}
	return spans
}

// mark puts marks around parts of a text.
func mark(text string, spans []span) string {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var b strings.Builder
	at := 0
	for i := 0; i < len(spans); {
		s := spans[i]
		for i++; i < len(spans) && spans[i].start < s.end; i++ {
			s.end = max(s.end, spans[i].end)
		}
		b.WriteString(text[at:s.start] + bridge.MarkBegin + text[s.start:s.end] + bridge.MarkEnd)
		at = s.end
	}
	return b.String() + text[at:]
}

// word is a word of a text and its position. A sequence of marks alone folds to
// nothing.
type word struct {
	folded     string
	start, end int
}

// split appends the words of a text to all.
func split(all []word, text string) []word {
	start := -1
	for i, r := range text {
		inside := r < utf8.RuneSelf && isAlnum(byte(r)) || r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r))
		switch {
		case inside && start < 0:
			start = i
		case !inside && start >= 0:
			all, start = append(all, word{fold(text[start:i]), start, i}), -1
		}
	}
	if start >= 0 {
		all = append(all, word{fold(text[start:]), start, len(text)})
	}
	return all
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// fold removes case and accents.
func fold(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return strings.Map(foldRune, norm.NFD.String(text))
		}
	}
	return strings.ToLower(text)
}

// foldRune returns the same rune for all runes that differ only in case: the long s
// becomes s, and all sigmas are equal.
func foldRune(r rune) rune {
	if unicode.Is(unicode.Mn, r) {
		return -1
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return unicode.ToLower(least)
}

// piece is a sequence of ASCII letters and digits within a folded word. A text that
// contains the word contains each of its pieces, with two exceptions: any character of the
// piece may be replaced by one beyond ASCII, such as an accented letter, and one such as a
// combining accent may be inserted between two. mayBeIn searches for that in a single
// pass, tracking all prefixes of the piece at the same time as bits of a number
// (Baeza-Yates and Gonnet, "A new approach to text searching", 1992). It may return true
// for a text without the word, but never false for one with it.
type piece struct {
	at  [utf8.RuneSelf]uint64 // for each character, its positions in the piece
	end uint64                // the bit of the last character
}

// maxPiece is the maximum length of a piece, with one bit for each character.
const maxPiece = 63

func piecesOf(folded string) (all []piece) {
	parts := strings.FieldsFunc(folded, func(r rune) bool { return r >= utf8.RuneSelf })
	for _, part := range parts {
		var p piece
		for i := range min(len(part), maxPiece) {
			c := part[i]
			p.end = 1 << i
			p.at[c] |= p.end
			if 'a' <= c && c <= 'z' {
				p.at[c-'a'+'A'] |= p.end
			}
		}
		all = append(all, p)
	}
	return all
}

func (p *piece) mayBeIn(text string) bool {
	found := uint64(0)
	for i := range len(text) {
		switch c := text[i]; {
		case c < utf8.RuneSelf:
			found = (found<<1 | 1) & p.at[c]
		case utf8.RuneStart(c):
			found |= found<<1 | 1
		}
		if found&p.end != 0 {
			return true
		}
	}
	return false
}
