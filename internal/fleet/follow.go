package fleet

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
)

// Follow shows messages as they come, until ctx ends, which is not an error, or until
// the session is refused: with bridge.ErrExpired, or bridge.ErrUnauthorized. Between
// messages it sleeps until the doorbell rings. What may pass, such as a full disk,
// is tried again for as long as it takes.
func (in Inbox) Follow(ctx context.Context) error {
	next := in.peekNext()
	if in.MarkRead {
		next = in.takeNext
	}
	retry := backoff{firstRetry, maxRetry}
	for ctx.Err() == nil {
		err := next(ctx)
		if err == nil {
			retry = backoff{firstRetry, maxRetry}
			continue
		}
		shown := new(showError)
		if errors.As(err, &shown) {
			return ended(ctx, err)
		}
		if final(err) {
			return ended(ctx, err)
		}
		if ctx.Err() == nil {
			in.Log.Log(ctx, levelOf(err), "reading the inbox failed and is tried again", "conversation", in.Session.Conversation, "error", err)
			retry.pause(ctx, err)
		}
	}
	return nil
}

// ended returns err, unless ctx has ended: then what failed is not a failure.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

func (in Inbox) takeNext(ctx context.Context) error {
	_, _, err := in.take(ctx, bridge.MaxWait)
	return err
}

// peekNext returns a function that waits for the next messages and shows them.
// The first call does not wait: it finds out what is there.
func (in Inbox) peekNext() func(context.Context) error {
	after, first := int64(bridge.FromUnread), true
	if in.OnlyNew {
		after = 0
	}
	return func(ctx context.Context) error {
		if !first {
			if err := in.Bridge.AwaitMessages(ctx, in.Session, after); err != nil {
				return err
			}
		}
		p, err := in.Bridge.PeekMessages(ctx, in.Session, after, in.page())
		if err != nil {
			return err
		}
		skip := first && in.OnlyNew
		if first = false; skip || len(p.Messages) == 0 {
			after = max(after, p.LastSeq)
			return nil
		}
		for _, m := range p.Messages {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := in.Show(ctx, []bridge.Message{m}); err != nil {
				return &showError{err}
			}
			after = m.Seq
		}
		return nil
	}
}
