package sqlite

import (
	"context"
	"errors"
	"strings"

	"modernc.org/sqlite"

	"example.org/bridge/internal/bridge"
)

// Search implements bridge.Store. The index is made in memory, of the messages that
// are asked about, and goes with the search: one in the store would cost each send
// several pages, and keep words of messages that were removed (decision 0071).
func (s *Store) Search(ctx context.Context, q bridge.SearchQuery) (found []bridge.Found, err error) {
	d, err := new(sqlite.Driver).Open(":memory:")
	if err != nil {
		return nil, err
	}
	index := newConn(d)
	defer func() { err = errors.Join(err, index.Close()) }()
	if _, err := index.exec("CREATE VIRTUAL TABLE texts USING fts5(message, conversation UNINDEXED, tokenize = 'unicode61 remove_diacritics 2')"); err != nil {
		return nil, err
	}
	if err := s.fillIndex(ctx, index, q); err != nil {
		return nil, err
	}
	var id int64
	var one bridge.Found
	var marked string
	// highlight marks in one pass; snippet compares each hit with all others.
	err = index.each(`
		SELECT rowid, conversation, highlight(texts, 0, ?1, ?2) FROM texts
		WHERE texts MATCH ?3 ORDER BY rowid DESC LIMIT ?4 + 0`,
		[]any{bridge.MarkBegin, bridge.MarkEnd, matchExpression(q.Terms), q.Limit}, []any{&id, &one.Conversation, &marked}, func() error {
			one.Message.ID, one.Excerpt = id, bridge.Excerpt(marked)
			found = append(found, one)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return s.loadFound(ctx, found)
}

// indexBatch and indexBytes are how many messages, and how much of them, are read at
// once: a reader that goes on for long keeps the log from being written back.
const (
	indexBatch = 5000
	indexBytes = 4 << 20
)

func (s *Store) fillIndex(ctx context.Context, index *conn, q bridge.SearchQuery) error {
	if _, err := index.exec("BEGIN"); err != nil {
		return err
	}
	last, total := int64(0), int64(0)
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		read, err := s.indexSome(ctx, index, q, &last)
		if err != nil {
			return err
		}
		more, total = read > 0, total+read
		if q.MaxBytes > 0 && total > q.MaxBytes {
			return q.TooMuchToSearch()
		}
	}
	_, err := index.exec("COMMIT")
	return err
}

// indexSome adds the next messages behind last to the index, and returns how many
// bytes they had, one more for each.
func (s *Store) indexSome(ctx context.Context, index *conn, q bridge.SearchQuery, last *int64) (read int64, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		var conversation, text string
		return c.each(`
			SELECT id, conversation, message FROM messages
			WHERE id > ?1 AND ?2 IN ('', conversation) AND sent_at >= ?3 ORDER BY id LIMIT ?4 + 0`,
			[]any{*last, q.Conversation, q.Since, indexBatch}, []any{last, &conversation, &text}, func() error {
				_, err := index.exec("INSERT INTO texts (rowid, message, conversation) VALUES (?, ?, ?)", *last, text, conversation)
				if read += int64(len(text)) + 1; err == nil && read >= indexBytes {
					return errStop
				}
				return err
			})
	})
	return read, err
}

// loadFound completes what a search found. What was removed meanwhile is left out.
func (s *Store) loadFound(ctx context.Context, found []bridge.Found) (kept []bridge.Found, err error) {
	err = s.read.do(ctx, func(c *conn) error {
		for _, f := range found {
			all, _, err := listMessages(c, "AND m.id = ?2", []any{f.Conversation, f.Message.ID}, 1, 0)
			if err != nil {
				return err
			}
			if len(all) == 1 {
				f.Message = all[0]
				kept = append(kept, f)
			}
		}
		return nil
	})
	return kept, err
}

// matchExpression writes terms in FTS5's own language
// (https://www.sqlite.org/fts5.html#full_text_query_syntax), each as a string, so
// that nothing in them is an operator.
func matchExpression(terms []bridge.SearchTerm) string {
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = `"` + strings.ReplaceAll(t.Words, `"`, `""`) + `"`
		if t.Prefix {
			parts[i] += "*"
		}
	}
	return strings.Join(parts, " AND ")
}
