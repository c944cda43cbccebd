package redact

import (
	"cmp"
	"slices"
	"strings"
)

// span is a piece of text to hide. Spans that overlap are merged, with the kind
// of the higher rank.
type span struct {
	start, end int
	kind       string
	rank       rank
}

// rank says how exactly a rule identifies what it found.
type rank uint8

const (
	rankNear     rank = iota // a random-looking value near a keyword
	rankName                 // a named value
	rankFormat               // a published format
	rankPEM                  // a structure that contains others
	rankOperator             // a rule of the operator
)

// merge sorts spans and joins those that overlap.
func merge(spans []span) []span {
	if len(spans) < 2 {
		return spans
	}
	if !ascend(spans) {
		slices.SortFunc(spans, compareSpans)
	}
	out := spans[:1]
	for _, s := range spans[1:] {
		last := &out[len(out)-1]
		if s.start >= last.end {
			out = append(out, s)
			continue
		}
		last.end = max(last.end, s.end)
		if s.rank > last.rank {
			last.kind, last.rank = s.kind, s.rank
		}
	}
	return out
}

// ascend reports whether each span begins after the beginning of the previous
// one.
func ascend(spans []span) bool {
	for i := 1; i < len(spans); i++ {
		if spans[i].start <= spans[i-1].start {
			return false
		}
	}
	return true
}

// compareSpans orders spans by their beginning. Of spans that begin at the same
// position, the longest comes first.
func compareSpans(a, b span) int {
	if a.start != b.start {
		return a.start - b.start
	}
	if a.end != b.end {
		return b.end - a.end
	}
	return int(b.rank) - int(a.rank)
}

// marks returns the placeholders in text, in order.
func (e *Engine) marks(text string) []run {
	var out []run
	for pos := 0; ; {
		i := strings.Index(text[pos:], placeholderSuffix)
		if i < 0 {
			return out
		}
		i += pos
		pos = i + len(placeholderSuffix)
		if n := e.kindBefore(text[:i]); n > 0 {
			out = append(out, run{i - n, pos})
		}
	}
}

// kindBefore returns the length of the longest kind at the end of text, or 0 if
// there is none.
func (e *Engine) kindBefore(text string) int {
	n := 0
	for _, k := range builtinKinds {
		if len(k) > n && strings.HasSuffix(text, k) {
			n = len(k)
		}
	}
	for i := range e.rules {
		if k := e.rules[i].kind; len(k) > n && strings.HasSuffix(text, k) {
			n = len(k)
		}
	}
	return n
}

// settle adjusts spans to the placeholders that are already in the text: a span
// that is a placeholder or lies within one is dropped, and a span that overlaps a
// placeholder is extended to include it.
func settle(spans []span, marks []run) []span {
	if len(marks) == 0 {
		return spans
	}
	out := spans[:0]
	for _, s := range spans {
		m, _ := slices.BinarySearchFunc(marks, s.start, func(m run, start int) int {
			return cmp.Compare(m.end, start+1)
		})
		if m < len(marks) && marks[m].start <= s.start && s.end <= marks[m].end {
			continue
		}
		for ; m < len(marks) && marks[m].start < s.end; m++ {
			s.start = min(s.start, marks[m].start)
			s.end = max(s.end, marks[m].end)
		}
		out = append(out, s)
	}
	return out
}
