package cli

import (
	"context"
	"slices"
	"time"

	"example.org/bridge/internal/bridge"
)

// numbered is a message with its number in the whole conversation, starting at 1, and
// the number of the message that it answers; 0 for none.
type numbered struct {
	bridge.Message
	n, answers int64
}

// transcript reads the wanted messages of a conversation.
type transcript struct {
	service *bridge.Service
	id      string
	options showOptions
	since   time.Time
	ids     []int64 // IDs of the messages read so far, in order: 8 bytes per message
}

// showPage is the number of messages read in one query.
const showPage = 200

// latest calls show with the existing wanted messages, oldest first, one page at a
// time, because a conversation may not fit into memory. If there is a limit it keeps
// that many messages in memory.
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

// eachMessage calls show for each existing wanted message.
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

// next calls show with the wanted messages after those read so far, one page at a time.
// A page is never empty.
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

// choose numbers a page of messages and returns the wanted ones.
func (t *transcript) choose(page []bridge.Message) (wanted []numbered) {
	for _, m := range page {
		t.ids = append(t.ids, m.ID)
		if t.wants(m) {
			wanted = append(wanted, numbered{m, int64(len(t.ids)), t.number(m.ReplyTo)})
		}
	}
	return wanted
}

// last returns the ID of the last message that was read.
func (t *transcript) last() int64 {
	if len(t.ids) == 0 {
		return 0
	}
	return t.ids[len(t.ids)-1]
}

// number returns the number of the message with that ID; 0 if it was not read.
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
