package postgres

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"example.org/bridge/internal/bridge"
)

// word is a word of a text, and where it stands.
type word struct {
	folded     string
	start, end int
}

// splitWords finds the words of a text: runs of letters, digits and accents.
func splitWords(text string) (all []word) {
	start := -1
	for i, r := range text + " " {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			all = append(all, word{fold(text[start:i]), start, i})
			start = -1
		}
	}
	return all
}

// fold removes case and accents.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
}

func wordsOf(text string) (all []string) {
	for _, w := range splitWords(text) {
		if w.folded != "" {
			all = append(all, w.folded)
		}
	}
	return all
}

// excerptWords is how many words an excerpt has.
const excerptWords = 24

// excerpt returns the part of a text around the first term, with marks around
// words of terms.
func excerpt(text string, terms []bridge.SearchTerm) string {
	words := splitWords(text)
	marked := func(w word) bool { return isTerm(w, terms) }
	first := max(slices.IndexFunc(words, marked), 0)
	from := max(0, first-excerptWords/4)
	to := min(len(words), from+excerptWords)
	if to == 0 {
		return ""
	}
	var b strings.Builder
	if from > 0 {
		b.WriteString("…")
	}
	at := words[from].start
	if from == 0 {
		at = 0
	}
	for _, w := range words[from:to] {
		b.WriteString(text[at:w.start])
		if marked(w) {
			b.WriteString(bridge.MarkBegin + text[w.start:w.end] + bridge.MarkEnd)
		} else {
			b.WriteString(text[w.start:w.end])
		}
		at = w.end
	}
	if to < len(words) {
		return b.String() + "…"
	}
	return b.String() + text[at:]
}

func isTerm(w word, terms []bridge.SearchTerm) bool {
	for _, t := range terms {
		parts := wordsOf(t.Words)
		if slices.Contains(parts, w.folded) || t.Prefix && len(parts) > 0 && strings.HasPrefix(w.folded, parts[len(parts)-1]) {
			return true
		}
	}
	return false
}
