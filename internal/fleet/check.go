package fleet

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
)

// Check shows a session's unread messages, in order, a page at a time, and
// returns how many there were. It marks them read only with markRead, each page
// once show has returned without an error. The error may be bridge.ErrExpired.
func Check(ctx context.Context, b *bridge.Service, c bridge.Credentials, markRead bool, show func([]bridge.Message) error) (int, error) {
	look := peekPages
	if markRead {
		look = takePages
	}
	shown, err := look(ctx, b, c, show)
	return shown, refused(ctx, b, c, err)
}

func peekPages(ctx context.Context, b *bridge.Service, c bridge.Credentials, show func([]bridge.Message) error) (shown int, err error) {
	after := int64(bridge.FromUnread)
	for {
		p, err := b.PeekMessages(ctx, c, after, bridge.MaxPage)
		if err != nil {
			return shown, err
		}
		if err := show(p.Messages); err != nil {
			return shown, err
		}
		shown += len(p.Messages)
		if !p.HasMore {
			return shown, nil
		}
		after = p.Messages[len(p.Messages)-1].Seq
	}
}

func takePages(ctx context.Context, b *bridge.Service, c bridge.Credentials, show func([]bridge.Message) error) (shown int, err error) {
	for {
		d, err := b.Check(ctx, c, bridge.CheckRequest{Limit: bridge.MaxPage}, ctx.Done())
		if err != nil {
			return shown, err
		}
		if err := show(d.Messages); err != nil {
			return shown, errors.Join(err, b.GiveBack(context.WithoutCancel(ctx), d.Claim))
		}
		if err := b.Confirm(context.WithoutCancel(ctx), d.Claim); err != nil {
			return shown, err
		}
		shown += len(d.Messages)
		if !d.HasMore {
			return shown, nil
		}
	}
}
