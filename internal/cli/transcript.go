package cli

import (
	"context"
	"time"

	"example.org/bridge/internal/bridge"
)

// numbered is a message with its place in the whole conversation, from 1.
type numbered struct {
	bridge.Message
	n int64
}

// transcript reads the messages of a conversation, as far as they are wanted.
type transcript struct {
	service *bridge.Service
	id      string
	options showOptions
	since   time.Time
	last, n int64 // id and number of the last message that was read
}

// showPage is how many messages are read at once.
const showPage = 200

// latest returns the wanted messages that there are.
func (t *transcript) latest(ctx context.Context) ([]numbered, error) {
	all, err := t.next(ctx)
	if limit := t.options.limit; limit > 0 && len(all) > limit {
		all = all[len(all)-limit:]
	}
	return all, err
}

// next returns the wanted messages behind those that were read.
func (t *transcript) next(ctx context.Context) (wanted []numbered, err error) {
	for {
		page, err := t.service.Messages(ctx, t.id, t.last, showPage)
		if err != nil {
			return wanted, err
		}
		for _, m := range page {
			t.last, t.n = m.ID, t.n+1
			if t.wants(m) {
				wanted = append(wanted, numbered{m, t.n})
			}
		}
		if len(page) < showPage {
			return wanted, nil
		}
	}
}

func (t *transcript) wants(m bridge.Message) bool {
	return (t.options.from == "" || m.From == t.options.from) && !m.SentAt.Before(t.since)
}
