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
	// MaxSearched is how many bytes of messages are searched: the index of a search
	// is in memory.
	MaxSearched = 512 << 20
)

// SearchQuery says which messages are searched.
type SearchQuery struct {
	// Terms must all be in a message.
	Terms []SearchTerm
	// Conversation restricts them to one, if not empty; Since to newer messages.
	Conversation string
	Since        time.Time
	// Limit is how many to return at most.
	Limit int
	// MaxBytes is how many bytes of messages may be searched; 0 is any number.
	MaxBytes int64
}

// TooMuchToSearch is the error of a search through more than MaxBytes.
func (q SearchQuery) TooMuchToSearch() error {
	return Invalid("words", "would be looked for in more than %d MB of messages: search in one conversation (--conversation), or in newer messages only (--since)", q.MaxBytes>>20)
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
// operator, who may read all. The error may be an InvalidError: TooMuchToSearch.
func (s *Service) Search(ctx context.Context, q SearchQuery) ([]Found, error) {
	q.Limit = min(q.Limit, MaxFound)
	if q.Limit == 0 {
		q.Limit = MaxFound
	}
	q.MaxBytes = MaxSearched
	return s.store.Search(ctx, q)
}
