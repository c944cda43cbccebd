package redact

import (
	"slices"
	"strings"
)

// Engine redacts text. The zero value has only the built-in rules. An Engine
// needs no initialisation and is safe for concurrent use.
type Engine struct {
	rules      []compiledRule
	exceptions []string
}

// maxRounds limits how often the result is redacted again. In the second round, a
// text with secrets normally contains only secrets that were revealed by hiding
// their neighbours, or none.
const maxRounds = 32

// Redact returns text with every secret in it replaced by a placeholder, and the
// sorted kinds of what was hidden, without the suffix _REDACTED. If nothing was
// hidden, the text is returned unchanged and the kinds are nil. Redacting the
// result again changes nothing.
func (e *Engine) Redact(text string) (string, []string) {
	var kinds []string
	for round := range maxRounds {
		spans := e.search(text, round)
		if len(spans) == 0 {
			break
		}
		spans = widen(spans, text, round)
		kinds = addKinds(kinds, spans)
		text = replace(text, spans)
	}
	return text, kinds
}

// wideningRound is the number of the first round that hides everything after its
// first find. A text that needs more than three rounds was made so that each
// hidden value uncovers the next; see docs/redaction.md.
const wideningRound = 3

// widen extends what a late round found, so that few more rounds are needed,
// which bounds the time that a text can take.
func widen(spans []span, text string, round int) []span {
	if round < wideningRound {
		return spans
	}
	s := spans[0]
	s.start = strings.LastIndexByte(text[:s.start], '\n') + 1
	s.end = len(text)
	return []span{s}
}

// search returns what a round finds in text. The first round searches both the
// text as it is and the text without its disguises. Later rounds find something
// only in unusual texts. They first search only the text without its disguises,
// since this finds most of what the other search would.
func (e *Engine) search(text string, round int) []span {
	if round == 0 {
		return e.find(text, 0)
	}
	f := e.newFinder(text)
	e.scanShadow(f, 0)
	if spans := e.settled(f, 0); len(spans) > 0 {
		return spans
	}
	e.scanPlain(f, 0)
	return e.settled(f, 0)
}

func addKinds(kinds []string, spans []span) []string {
	for _, s := range spans {
		if !slices.Contains(kinds, s.kind) {
			kinds = append(kinds, s.kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// replace returns text with placeholders instead of spans, which must be sorted
// and must not overlap.
func replace(text string, spans []span) string {
	var b strings.Builder
	b.Grow(len(text))
	pos := 0
	for _, s := range spans {
		b.WriteString(text[pos:s.start])
		b.WriteString(s.kind)
		b.WriteString(placeholderSuffix)
		pos = s.end
	}
	b.WriteString(text[pos:])
	return b.String()
}
