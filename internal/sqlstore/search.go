package sqlstore

import (
	"context"
	"math"

	"example.org/bridge/internal/atrest"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/words"
)

const (
	// batchBytes is about how many bytes of messages a search reads in one transaction,
	// and batchRows the maximum number of messages. A long-running reader would keep
	// SQLite's log from being checkpointed, and PostgreSQL sends all rows of a query.
	batchBytes = 1 << 20
	batchRows  = 4000
	// firstRows is how many messages are read before their average length is known.
	firstRows = 500
	// rowBytes is the cost of reading a message besides its text, in equivalent bytes
	// of text.
	rowBytes = 128
)

// Messages that are too old are returned without their text and count as rows read. If
// the query left them out, one transaction would have to skip all of them.
const (
	searchAll = "SELECT id, conversation, sent_at, CASE WHEN sent_at >= ?2 THEN message ELSE '' END FROM messages WHERE id < ?1 ORDER BY id DESC LIMIT CAST(?3 AS bigint) + 0"
	searchOne = "SELECT id, conversation, sent_at, CASE WHEN sent_at >= ?2 THEN message ELSE '' END FROM messages WHERE conversation = ?4 AND id < ?1 ORDER BY id DESC LIMIT CAST(?3 AS bigint) + 0"
)

// Search implements bridge.Store. Messages are read from the newest on, some in each
// transaction, and searched here. A full-text index would cost each send several page
// writes, and would keep words of removed messages (decision 0179).
func (r Reads) Search(ctx context.Context, q bridge.SearchQuery) (result bridge.SearchResult, err error) {
	s := &search{SearchQuery: q, finder: words.New(q.Terms), rows: firstRows}
	if s.Before == 0 {
		s.Before = math.MaxInt64
	}
	for !s.finder.Empty() && !s.over() {
		if err := r.read(ctx, s.batch); err != nil {
			return result, err
		}
		s.accept()
	}
	result = s.result
	result.Found, err = readAll(ctx, r, func(c Conn) ([]bridge.Found, error) { return loadFound(c, s.result.Found, r.dialect.OneMessage) })
	return result, err
}

// search is the state of a search.
type search struct {
	bridge.SearchQuery
	finder *words.Finder
	rows   int // number of rows that the next batch reads

	size   int64 // of everything read so far
	ended  bool  // there are no more messages
	result bridge.SearchResult

	found []bridge.Found // found by the last batch
	last  struct{ id, bytes, rows, sent int64 }
	full  bool // the last batch stopped before its last row
}

func (s *search) over() bool {
	return s.ended || len(s.result.Found) >= s.Limit || s.MaxBytes > 0 && s.size >= s.MaxBytes
}

// batch searches the next messages. If it is called again it starts the same batch
// again.
func (s *search) batch(c Conn) error {
	s.found, s.full = nil, false
	s.last.id, s.last.bytes, s.last.rows = s.Before, 0, 0
	query, args := searchAll, []any{s.Before, Micros(s.Since), s.rows}
	if s.Conversation != "" {
		query, args = searchOne, append(args, s.Conversation)
	}
	var one bridge.Found
	var text string
	return c.Each(query, args, []any{&s.last.id, &one.Conversation, &s.last.sent, &text}, func() error {
		s.last.rows++
		s.last.bytes += int64(atrest.Size(text, len(text))) + rowBytes
		text := Shown(c, MessagePlace("message", one.Conversation, s.last.id), text)
		if marked, ok := s.finder.Find(text); ok {
			one.Message.ID, one.Excerpt = s.last.id, bridge.Excerpt(marked)
			s.found = append(s.found, one)
		}
		if s.full = s.enough(); s.full {
			return ErrStop
		}
		return nil
	})
}

// enough reports whether the batch can stop.
func (s *search) enough() bool {
	return len(s.result.Found)+len(s.found) >= s.Limit || s.last.bytes >= batchBytes || s.MaxBytes > 0 && s.size+s.last.bytes >= s.MaxBytes
}

// accept records the results of the last batch and moves on to the next.
func (s *search) accept() {
	s.result.Found = append(s.result.Found, s.found...)
	s.size += s.last.bytes
	s.Before, s.ended = s.last.id, s.last.rows < int64(s.rows) && !s.full
	s.result.Before, s.result.Reached = s.Before, FromMicros(s.last.sent)
	if s.ended {
		s.result.Before = 0
	}
	if s.last.rows > 0 {
		s.rows = int(min(max(batchBytes/(s.last.bytes/s.last.rows), 1), batchRows))
	}
}

// loadFound loads the messages that a search found. Those removed meanwhile are left
// out.
func loadFound(c Conn, found []bridge.Found, one string) (kept []bridge.Found, err error) {
	for _, f := range found {
		all, _, err := ReadMessages(c, one, []any{f.Conversation, f.Message.ID}, 1, 0)
		if err != nil {
			return nil, err
		}
		if len(all) == 1 {
			f.Message = all[0]
			kept = append(kept, f)
		}
	}
	return kept, nil
}
