package cli

import (
	"context"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
)

// numbered is a message with its place in the whole conversation, from 1, and that of
// the message that it answers; 0 for none.
type numbered struct {
	bridge.Message
	n, answers int64
}

// transcript reads the messages of a conversation, as far as they are wanted.
type transcript struct {
	service *bridge.Service
	id      string
	options showOptions
	since   time.Time
	ids     []int64 // of the messages that were read, in order: 8 bytes a message
}

// showPage is how many messages are read at once.
const showPage = 200

// latest calls show with the wanted messages that there are, the oldest first and as
// many at once as are read at once: a conversation may be larger than memory. It holds
// as many as the limit is, where there is one.
func (t *transcript) latest(ctx context.Context, show func([]numbered) error) error {
	limit := t.options.limit
	if limit == 0 {
		return t.next(ctx, show)
	}
	var kept []numbered
	err := t.next(ctx, func(page []numbered) error {
		kept = append(kept, page...)
		kept = slices.Delete(kept, 0, max(0, len(kept)-limit))
		return nil
	})
	if err != nil || len(kept) == 0 {
		return err
	}
	return show(kept)
}

// eachMessage calls show with each wanted message that there is.
func (t *transcript) eachMessage(ctx context.Context, show func(numbered) error) error {
	return t.latest(ctx, func(page []numbered) error {
		for _, m := range page {
			if err := show(m); err != nil {
				return err
			}
		}
		return nil
	})
}

// next calls show with the wanted messages behind those that were read, a page at a
// time. A page is never empty.
func (t *transcript) next(ctx context.Context, show func([]numbered) error) error {
	for {
		page, err := t.service.Messages(ctx, t.id, t.last(), showPage)
		if err != nil {
			return err
		}
		if wanted := t.choose(page); len(wanted) > 0 {
			if err := show(wanted); err != nil {
				return err
			}
		}
		if len(page) < showPage {
			return nil
		}
	}
}

// choose numbers a page of messages and returns those that are wanted.
func (t *transcript) choose(page []bridge.Message) (wanted []numbered) {
	for _, m := range page {
		t.ids = append(t.ids, m.ID)
		if t.wants(m) {
			wanted = append(wanted, numbered{m, int64(len(t.ids)), t.number(m.ReplyTo)})
		}
	}
	return wanted
}

// last is the id of the last message that was read.
func (t *transcript) last() int64 {
	if len(t.ids) == 0 {
		return 0
	}
	return t.ids[len(t.ids)-1]
}

// number is the place of the message of that id; 0 where it was not read.
func (t *transcript) number(id int64) int64 {
	i, found := slices.BinarySearch(t.ids, id)
	if !found {
		return 0
	}
	return int64(i + 1)
}

func (t *transcript) wants(m bridge.Message) bool {
	return (t.options.from == "" || m.From == t.options.from) && !m.SentAt.Before(t.since) && !(t.options.unread && m.Read)
}
