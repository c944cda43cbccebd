package postgres

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sqlstore"
)

// folded is the words of a message as they are searched: without case and accents,
// apart from everything that is neither letter nor digit. What a text means to
// PostgreSQL depends on the database's locale; this does not.
const folded = `regexp_replace(regexp_replace(lower(normalize(m.message, NFD) COLLATE "und-x-icu"), '[\u0300-\u036f]+', '', 'g'), '[^[:alnum:]]+', ' ', 'g')`

const searched = " FROM messages m WHERE ($1 = '' OR m.conversation = $1) AND m.sent_at >= $2"

// Search implements bridge.Store. There is no index of words: it would cost each
// send several pages, and keep words of messages that were removed.
func (s *Store) Search(ctx context.Context, q bridge.SearchQuery) (found []bridge.Found, err error) {
	expression := searchExpression(q.Terms)
	if expression == "" {
		return nil, nil
	}
	err = s.read(ctx, func(c *conn) error {
		var bytes int64
		err := c.get("SELECT coalesce(sum(octet_length(m.message) + 1), 0)::bigint"+searched, []any{q.Conversation, q.Since}, &bytes)
		if err != nil {
			return err
		}
		if q.MaxBytes > 0 && bytes > q.MaxBytes {
			return q.TooMuchToSearch()
		}
		var id int64
		var conversation string
		err = c.each("SELECT m.id, m.conversation"+searched+" AND to_tsvector('simple', "+folded+") @@ $3::text::tsquery ORDER BY m.id DESC LIMIT $4",
			[]any{q.Conversation, q.Since, expression, q.Limit}, []any{&id, &conversation}, func() error {
				found = append(found, bridge.Found{Conversation: conversation, Message: bridge.Message{ID: id}})
				return nil
			})
		if err != nil {
			return err
		}
		return completeFound(c, found, q.Terms)
	})
	return found, err
}

func completeFound(c *conn, found []bridge.Found, terms []bridge.SearchTerm) error {
	for i, f := range found {
		all, _, err := sqlstore.ReadMessages(c.sql(), selectMessage+"AND m.id = $2", []any{f.Conversation, f.Message.ID}, 1, 0)
		if err != nil {
			return err
		}
		if len(all) == 1 {
			found[i].Message, found[i].Excerpt = all[0], bridge.Excerpt(mark(all[0].Text, terms))
		}
	}
	return nil
}

// searchExpression writes terms in PostgreSQL's language for searches
// (https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY).
// Words are letters and digits only, so that nothing in them is an operator. It is
// empty where the terms have no word.
func searchExpression(terms []bridge.SearchTerm) string {
	var parts []string
	for _, t := range terms {
		words := wordsOf(t.Words)
		if len(words) == 0 {
			continue
		}
		for i, w := range words {
			words[i] = "'" + w + "'"
		}
		if t.Prefix {
			words[len(words)-1] += ":*"
		}
		parts = append(parts, "("+strings.Join(words, " <-> ")+")")
	}
	return strings.Join(parts, " & ")
}

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

// mark puts marks around the words of terms.
func mark(text string, terms []bridge.SearchTerm) string {
	whole, prefixes := termWords(terms)
	var b strings.Builder
	at := 0
	for _, w := range splitWords(text) {
		isPrefixed := func(p string) bool { return strings.HasPrefix(w.folded, p) }
		if whole[w.folded] || slices.ContainsFunc(prefixes, isPrefixed) {
			b.WriteString(text[at:w.start] + bridge.MarkBegin + text[w.start:w.end] + bridge.MarkEnd)
			at = w.end
		}
	}
	return b.String() + text[at:]
}

// termWords are the words of terms, and those with which words may begin.
func termWords(terms []bridge.SearchTerm) (whole map[string]bool, prefixes []string) {
	whole = map[string]bool{}
	for _, t := range terms {
		words := wordsOf(t.Words)
		for _, w := range words {
			whole[w] = true
		}
		if t.Prefix && len(words) > 0 {
			prefixes = append(prefixes, words[len(words)-1])
		}
	}
	return whole, prefixes
}
