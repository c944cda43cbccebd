package bridge

import (
	"strings"
	"unicode"
)

// excerptWords is the maximum number of words of an excerpt.
const excerptWords = 24

// Excerpt returns the part of a text that contains the most different terms. In the
// text, terms are enclosed in MarkBegin and MarkEnd; marks that the cut splits are
// closed. The time taken is linear in the length of the text, regardless of the
// number of terms.
func Excerpt(marked string) string {
	words := markedWords(marked)
	if len(words) <= excerptWords {
		return marked
	}
	begin := bestWindow(words)
	end := begin + excerptWords
	text := marked[words[begin].begin:words[end-1].end]
	if words[begin].inside && !strings.HasPrefix(text, MarkBegin) {
		text = MarkBegin + text
	}
	if words[end-1].inside && !strings.HasSuffix(text, MarkEnd) {
		text += MarkEnd
	}
	if begin > 0 {
		text = "…" + text
	}
	if end < len(words) {
		text += "…"
	}
	return text
}

// markedWord is a word of a marked text, including adjacent marks.
type markedWord struct {
	begin, end int
	inside     bool   // it is a term, or part of one
	term       string // the whole term in lower case, if this is its first word
}

func markedWords(text string) (words []markedWord) {
	begin, inside, opened := -1, false, -1
	finish := func(end int) {
		if begin < 0 {
			return
		}
		w := markedWord{begin: begin, end: end, inside: inside}
		if begin == opened {
			term, _, _ := strings.Cut(text[begin+len(MarkBegin):], MarkEnd)
			w.term = strings.ToLower(term)
		}
		words, begin = append(words, w), -1
	}
	for at, r := range text {
		switch {
		case r == rune(MarkBegin[0]):
			finish(at)
			begin, inside, opened = at, true, at
		case r == rune(MarkEnd[0]):
			finish(at + len(MarkEnd))
			inside = false
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			finish(at)
		case begin < 0:
			begin = at
		}
	}
	finish(len(text))
	return words
}

// bestWindow returns the start of the window of excerptWords words that contains the
// most different terms, with about as many words before them as after.
func bestWindow(words []markedWord) int {
	most, best := 0, 0
	seen := map[string]int{}
	for last, w := range words {
		if w.term != "" {
			seen[w.term]++
		}
		begin := last - excerptWords + 1
		if begin > 0 {
			if gone := words[begin-1].term; gone != "" {
				if seen[gone]--; seen[gone] == 0 {
					delete(seen, gone)
				}
			}
		}
		if len(seen) > most {
			most, best = len(seen), max(begin, 0)
		}
	}
	return centred(words, best)
}

// centred moves a window so that its terms are in the middle.
func centred(words []markedWord, begin int) int {
	first, last := -1, begin
	for i := begin; i < begin+excerptWords; i++ {
		if words[i].inside {
			last = i
			if first < 0 {
				first = i
			}
		}
	}
	first = max(first, begin)
	return max(0, min(first-(excerptWords-(last-first+1))/2, len(words)-excerptWords))
}
