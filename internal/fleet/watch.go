package fleet

import (
	"context"
	"log/slog"
	"time"

	"example.org/bridge/internal/bridge"
)

// mostRetry bounds the pauses of a watch whose store fails.
const mostRetry = 10 * time.Second

// Watch shows each message of a session as it comes. It marks nothing read.
type Watch struct {
	Bridge  *bridge.Service
	Session bridge.Credentials
	// OnlyNew leaves out the messages that wait already.
	OnlyNew bool
	// Once ends after the first messages.
	Once bool
	// Each is called with the messages in order. Its error ends the run.
	Each func(context.Context, bridge.Message) error
	Log  *slog.Logger
}

// Run shows messages until ctx ends, which is no error, or until the session is
// refused: with bridge.ErrExpired, or bridge.ErrUnauthorized. Between messages it sleeps
// until the doorbell rings.
func (w Watch) Run(ctx context.Context) error {
	after := int64(bridge.FromUnread)
	if w.OnlyNew {
		after = 0
	}
	skip := w.OnlyNew
	retry := backoff{firstRetry, mostRetry}
	for ctx.Err() == nil {
		p, err := w.look(ctx, after, skip)
		if err == nil {
			retry = backoff{firstRetry, mostRetry}
			after, err = w.show(ctx, p, after, skip)
			skip = false
			if err != nil || w.Once && len(p.Messages) > 0 {
				return err
			}
			continue
		}
		if err = refused(ctx, w.Bridge, w.Session, err); ctx.Err() == nil && final(err) {
			return err
		}
		if ctx.Err() == nil {
			w.Log.Log(ctx, levelOf(err), "a look at the mail failed and is tried again", "conversation", w.Session.Conversation, "error", err)
			retry.pause(ctx, err)
		}
	}
	return nil
}

// look waits for messages behind after, and returns them. The first look does
// not wait: it finds out what is there.
func (w Watch) look(ctx context.Context, after int64, first bool) (bridge.Peeked, error) {
	if after != bridge.FromUnread && !first {
		if err := w.Bridge.AwaitMessages(ctx, w.Session, after); err != nil {
			return bridge.Peeked{}, err
		}
	}
	return w.Bridge.PeekMessages(ctx, w.Session, after, bridge.MaxPage)
}

// show shows a page, and returns the number of the last message seen.
func (w Watch) show(ctx context.Context, p bridge.Peeked, after int64, skip bool) (int64, error) {
	if skip {
		return p.LastSeq, nil
	}
	for _, m := range p.Messages {
		if ctx.Err() != nil {
			break
		}
		if err := w.Each(ctx, m); err != nil {
			return after, err
		}
		after = m.Seq
	}
	if after == bridge.FromUnread { // nothing was unread
		after = p.LastSeq
	}
	return after, nil
}
