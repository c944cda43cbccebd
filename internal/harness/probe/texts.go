// Package probe checks whether a server is dangerous to the agent that uses it: texts that
// are hidden from a person but read by a model, access to files outside a tool's folder,
// arguments that are executed as code, and web pages that can reach a local server.
//
// Each probe looks for proof, such as the content of a file that must not be readable, so
// that an alarm is reliable.
package probe

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/lazyregexp"
)

// Texts finds hidden characters and concealment in all texts that a server provides for
// models.
func Texts(s *contract.Snapshot) (found []finding.Finding) {
	add := func(where, text string) { found = append(found, look(where, text)...) }
	add("instructions", s.Instructions)
	for _, list := range []struct {
		what  string
		items map[string]map[string]any
	}{{"tool", s.Tools}, {"resource", s.Resources}, {"resource template", s.Templates}, {"prompt", s.Prompts}} {
		for _, id := range slices.Sorted(maps.Keys(list.items)) {
			where := list.what + " " + strconv.QuoteToASCII(id)
			add(where+", name", id)
			walk(where, list.items[id], add)
		}
	}
	return found
}

// look checks one text.
func look(where, text string) (found []finding.Finding) {
	if what := hidden(text); what != "" {
		found = append(found, finding.Finding{Kind: finding.HiddenText, Where: where, Text: what})
	}
	if phrase := concealment().FindString(text); phrase != "" {
		found = append(found, finding.Finding{Kind: finding.Concealment, Where: where, Text: fmt.Sprintf("says to a model: %q", phrase)})
	}
	return found
}

// walk checks all strings in a value, including keys.
func walk(where string, value any, look func(where, text string)) {
	switch v := value.(type) {
	case string:
		look(where, v)
	case []any:
		for _, item := range v {
			walk(where, item, look)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			at := where + ", " + key
			look(at, key)
			walk(at, v[key], look)
		}
	}
}

// concealment matches a text that asks a model to hide something from its user, or to
// ignore earlier instructions.
var concealment = lazyregexp.New(`(?i)` +
	`\b(?:do not|don't|don’t|never|must not|without)\s+(?:ever\s+)?(?:tell(?:ing)?|mention(?:ing)?|inform(?:ing)?|notify(?:ing)?|alert(?:ing)?)\s+(?:\w+\s+){0,4}?(?:user|human|person|operator)s?\b` +
	`|\b(?:hide|conceal|keep)\s+(?:\w+\s+){1,5}?from\s+(?:the\s+|your\s+)?(?:user|human|person|operator)s?\b` +
	`|\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+)?(?:of\s+)?(?:your\s+|the\s+)?(?:previous|prior|earlier|system)\s+(?:instructions|prompts?|rules)\b`)

// hidden returns the name of the first invisible character, or "". Joiners and variation
// selectors that belong to scripts and emoji, and tags that belong to flags, are allowed.
func hidden(text string) string {
	runes := []rune(text)
	for i, r := range runes {
		if !invisible(r) || isTag(r) && inFlag(runes[:i]) {
			continue
		}
		return fmt.Sprintf("contains an invisible character: U+%04X at position %d", r, i+1)
	}
	return ""
}

func isTag(r rune) bool { return r >= 0xE0000 && r <= 0xE007F }

// invisible reports whether a character is zero-width, changes the direction of text, or is
// a tag or selector that can hide bytes behind a character.
func invisible(r rune) bool {
	switch {
	case isTag(r), r >= 0xE0100 && r <= 0xE01EF:
	case r == 0x200B, r == 0xFEFF, r == 0x00AD, r >= 0x2060 && r <= 0x2064:
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
	case r < 0x20 && r != '\n' && r != '\r' && r != '\t', r == 0x7F:
	default:
		return false
	}
	return true
}

// inFlag reports whether tags follow a black flag, as in the flags of parts of countries.
func inFlag(before []rune) bool {
	const blackFlag, longestFlag = 0x1F3F4, 8
	for i := range min(len(before), longestFlag) {
		r := before[len(before)-1-i]
		if r == blackFlag {
			return true
		}
		if !isTag(r) {
			return false
		}
	}
	return false
}
