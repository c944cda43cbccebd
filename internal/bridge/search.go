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

// SearchQuery says which messages are searched.
type SearchQuery struct {
	// Terms must all be in a message.
	Terms []SearchTerm
	// Conversation restricts them to one, if not empty; Since to newer messages.
	Conversation string
	Since        time.Time
	// Before restricts them to those before the message of that number; 0 does not. It is
	// what an earlier result has, to continue after it.
	Before int64
	// Limit is how many to return at most, up to MaxFound; 0 is MaxFound.
	Limit int
	// MaxBytes is how many bytes of messages are read, about, until the search stops and
	// says how far it came; each counts 128 more than its text has. 0 is any number.
	MaxBytes int64
}

// SearchResult is what a search found, the newest first.
type SearchResult struct {
	Found []Found
	// Before is where the search goes on (SearchQuery.Before): it has looked at all later
	// messages. It is 0 where it has looked at all.
	Before int64
	// Reached is when the oldest message was sent that it has looked at; the zero time
	// where there was none.
	Reached time.Time
}

// SearchTerm is a word, or words that follow each other. Case and accents make no
// difference.
type SearchTerm struct {
	Words string
	// Prefix finds words that begin with the last one, too.
	Prefix bool
}

// Found is a message that a search found.
type Found struct {
	Conversation string
	Message      Message
	// Excerpt is the part of the text around the terms. Terms stand between the two
	// marks.
	Excerpt string
}

// Marks around a term in an excerpt: controls, which Clean removes.
const (
	MarkBegin = "\x02"
	MarkEnd   = "\x03"
)

// ParseSearch reads what a person types: words, "words that follow each other", and
// begin* of words. All must be in a message.
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
		return nil, Invalid("words", "must hold a word to look for")
	case len(terms) > MaxSearchTerms:
		return nil, Invalid("words", "must be at most %d", MaxSearchTerms)
	}
	return terms, nil
}

// spaceForControl keeps out of a search what ends an expression early, and the marks.
func spaceForControl(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// Search returns the messages that hold every term, the newest first. It is for the
// operator, who may read all. Messages are read from the newest on until Limit are found,
// MaxBytes are read or none is left.
func (s *Service) Search(ctx context.Context, q SearchQuery) (SearchResult, error) {
	q.Limit = min(q.Limit, MaxFound)
	if q.Limit == 0 {
		q.Limit = MaxFound
	}
	return s.store.Search(ctx, q)
}
