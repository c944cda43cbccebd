package redact

import (
	"slices"
	"strings"
)

// Engine redacts text. The zero value knows the built-in rules only. An Engine
// costs nothing to make and is safe for concurrent use.
type Engine struct {
	rules      []compiledRule
	exceptions []string
}

// maxRounds bounds how often the result is looked at again. The second round
// of a text with secrets finds nothing, or what hiding its neighbour revealed.
const maxRounds = 32

// Redact returns text with every secret in it replaced by a placeholder, and
// the sorted kinds of what was hidden, without the suffix _REDACTED. The kinds
// are nil, and the text is returned as it was, where nothing was hidden.
// Redacting the result again changes nothing.
func (e *Engine) Redact(text string) (string, []string) {
	var kinds []string
	for round := range maxRounds {
		spans := e.look(text, round)
		if len(spans) == 0 {
			break
		}
		spans = widen(spans, text, round)
		kinds = addKinds(kinds, spans)
		text = replace(text, spans)
	}
	return text, kinds
}

// lastLooks is the number of the look from which on everything goes that
// follows the first find. A text that needs more than three looks was made so
// that each hidden value uncovers the next; see docs/redaction.md.
const lastLooks = 3

// widen makes what a late look found so large that few more are needed, which
// bounds the time that a text can cost.
func widen(spans []span, text string, round int) []span {
	if round < lastLooks {
		return spans
	}
	s := spans[0]
	s.start = strings.LastIndexByte(text[:s.start], '\n') + 1
	s.end = len(text)
	return []span{s}
}

// look returns what one more look at text finds. The first looks at the text
// as it is and without its disguises. Of the later ones, which find something
// in odd texts only, the look without disguises comes first and alone, since
// it finds most of what the other one would.
func (e *Engine) look(text string, round int) []span {
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

// replace returns text with placeholders in place of spans, which are
// sorted and apart.
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
