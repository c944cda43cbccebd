package bridge

import (
	"context"
	"strings"
	"time"
	"unicode"
)

// Limits of a search.
const (
	MaxFound       = 1000
	MaxSearchTerms = 20
)

// SearchQuery selects messages.
type SearchQuery struct {
	// Terms must all occur in the message.
	Terms []SearchTerm
	// Conversation restricts the search to one conversation, if not empty; Since
	// to messages sent after it.
	Conversation string
	Since        time.Time
	// Before restricts the search to messages before the one with that number; 0 means no
	// restriction. To continue a search, pass the result's Before.
	Before int64
	// Limit is the maximum number of messages to return, up to MaxFound; 0
	// means MaxFound.
	Limit int
	// MaxBytes is about how many bytes of messages the search reads before it stops and
	// reports how far it got. Each message counts as its text plus 128 bytes. 0 means no
	// limit.
	MaxBytes int64
}

// SearchResult holds the messages that a search found, newest first.
type SearchResult struct {
	Found []Found
	// Before is where to continue the search (see SearchQuery.Before): all later messages
	// have been examined. It is 0 if all messages have been.
	Before int64
	// Reached is when the oldest message examined was sent; the zero time if there was
	// none.
	Reached time.Time
}

// SearchTerm is a word or a sequence of words. Case and accents are ignored.
type SearchTerm struct {
	Words string
	// Prefix also matches words that begin with the last word.
	Prefix bool
}

// Found is a message that matches a search.
type Found struct {
	Conversation string
	Message      Message
	// Excerpt is the part of the text around the terms. Each term is enclosed in
	// MarkBegin and MarkEnd.
	Excerpt string
}

// Marks around a term in an excerpt. They are control characters, which Clean
// removes.
const (
	MarkBegin = "\x02"
	MarkEnd   = "\x03"
)

// ParseSearch parses a search as typed by a person: words, "quoted sequences of
// words" and prefixes like begin*. All must occur in a message.
func ParseSearch(text string) (terms []SearchTerm, err error) {
	text = strings.Map(spaceForControl, text)
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 1 { // within quotes
			if words := strings.TrimSpace(part); words != "" {
				terms = append(terms, SearchTerm{Words: words})
			}
			continue
		}
		for word := range strings.FieldsSeq(part) {
			begin, prefix := strings.CutSuffix(word, "*")
			if begin != "" {
				terms = append(terms, SearchTerm{begin, prefix})
			}
		}
	}
	switch {
	case len(terms) == 0:
		return nil, Invalid("words", "must contain a word to search for")
	case len(terms) > MaxSearchTerms:
		return nil, Invalid("words", "must be at most %d", MaxSearchTerms)
	}
	return terms, nil
}

// spaceForControl replaces control characters, so that a search contains neither the
// marks nor a character that ends an expression early.
func spaceForControl(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// Search returns the messages that match q, newest first. It is for the operator, who may
// read everything. Messages are examined from the newest on until Limit are found,
// MaxBytes are read, or none is left.
func (s *Service) Search(ctx context.Context, q SearchQuery) (SearchResult, error) {
	q.Limit = min(q.Limit, MaxFound)
	if q.Limit == 0 {
		q.Limit = MaxFound
	}
	return s.store.Search(ctx, q)
}
