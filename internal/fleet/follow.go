package fleet

import (
	"context"
	"errors"

	"example.org/bridge/internal/bridge"
)

// Follow shows messages as they arrive. It returns nil when ctx ends, and otherwise
// only if the session is refused: with bridge.ErrExpired, or bridge.ErrUnauthorized.
// Between messages it sleeps until the doorbell rings. Errors that may be temporary,
// such as a full disk, are retried without limit.
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
			in.Log.Log(ctx, levelOf(err), "reading the inbox failed; retrying", "conversation", in.Session.Conversation, "error", err)
			retry.pause(ctx, err)
		}
	}
	return nil
}

// ended returns err, or nil if ctx has ended, since err is then only a
// consequence of that.
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
// Its first call does not wait, because it only determines what is in the
// inbox.
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
