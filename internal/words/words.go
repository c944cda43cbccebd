// Package words finds the terms of a search in texts.
//
// A word is a run of letters, digits and the marks on them; all else stands between
// words. Two words are the same where they differ in case and accents only. What is a
// word depends on neither a store nor a locale, so that a search finds the same
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

// Finder looks for the terms of one search in one text after another. It is not for
// several goroutines at once.
type Finder struct {
	terms  []term
	pieces []piece // what a text must hold, as far as a quick look can tell
	words  []word  // of the last text, kept for their memory
}

// term is words that follow each other, folded.
type term struct {
	words  []string
	prefix bool
}

// New returns a finder for all of terms. A term without a word, such as a dash,
// asks for nothing; where there are only such, nothing is found.
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

// Find returns the text with bridge.MarkBegin and bridge.MarkEnd around each place where
// a term stands, and false where one stands nowhere. Terms that touch each other are
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

// in finds the places of a term among the words of a text.
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

// word is a word of a text, and where it stands. A run of marks alone folds to nothing.
type word struct {
	folded     string
	start, end int
}

// split adds the words of a text to all.
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

// foldRune is one of all that differ in case: the long s is an s, and each sigma the same.
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

// piece is a run of ASCII letters and digits of a folded word. A text that holds the word
// holds each of its pieces, but for two things: a sign beyond ASCII may stand for any one
// of the piece, as an accented letter does, and may stand between two, as an accent of its
// own does. mayBeIn looks for that with one pass, following all beginnings of the piece at
// once as the bits of a number (Baeza-Yates and Gonnet, "A new approach to text
// searching", 1992). It may say yes to a text without the word, never no to one with it.
type piece struct {
	at  [utf8.RuneSelf]uint64 // of each sign: where it stands in the piece
	end uint64                // the bit of the last sign
}

// maxPiece is how much of a piece is looked for: a bit each.
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
