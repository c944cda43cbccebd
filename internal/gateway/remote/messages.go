package remote

import (
	"context"
	"errors"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sleep"
)

// Send stores a message. It always has an idempotency key, so that the message is
// stored once, however often the connection is lost.
func (c *Conn) Send(ctx context.Context, cr bridge.Credentials, r bridge.SendRequest) (out bridge.Sent, err error) {
	h := c.hide(&r.Text)
	r.Files = h.list(r.Files)
	var own *onceKey // set if the agent gave no key
	if r.IdempotencyKey == "" {
		own = c.once.take("send", cr, r)
		r.IdempotencyKey = own.text
	}
	f, err := c.do(ctx, request{name: "Send", arguments: []any{cr, r}, again: true, stores: true}, &out)
	out.Redacted = h.found(out.Redacted)
	if own == nil {
		out.Repeated = out.Repeated && !f.lost // the earlier attempt may have been this side's own
		return out, err
	}
	out.Repeated = out.Repeated && own.repeats
	return out, own.settle(err)
}

// Check takes the unread messages of a session.
func (c *Conn) Check(ctx context.Context, cr bridge.Credentials, r bridge.CheckRequest, drain <-chan struct{}) (out bridge.Delivery, err error) {
	err = c.await(ctx, r.Wait, drain, func(ctx context.Context, wait time.Duration) (fate, error) {
		r.Wait, out = wait, bridge.Delivery{}
		f, err := c.do(ctx, request{name: "Check", arguments: []any{cr, r}, again: true, single: true, wait: bounded(wait)}, &out)
		f.draining = f.draining && len(out.Messages) == 0
		return f, err
	})
	return out, err
}

// CheckAll is Check for several sessions.
func (c *Conn) CheckAll(ctx context.Context, all []bridge.Credentials, r bridge.CheckRequest, drain <-chan struct{}) (out bridge.Collected, err error) {
	err = c.await(ctx, r.Wait, drain, func(ctx context.Context, wait time.Duration) (fate, error) {
		r.Wait, out = wait, bridge.Collected{}
		f, err := c.do(ctx, request{name: "CheckAll", arguments: []any{all, r}, again: true, single: true, wait: bounded(wait)}, &out)
		f.draining = f.draining && len(out.Messages) == 0 && len(out.Refused) == 0
		return f, err
	})
	return out, err
}

// bounded limits a wait to the range that the gateway accepts.
func bounded(wait time.Duration) time.Duration { return max(0, min(wait, bridge.MaxWait)) }

// await calls ask, and calls it again for the rest of the wait if the gateway was away, or
// shut down and answered early, so that its successor continues the wait. When drain is
// closed, it asks once more without waiting.
func (c *Conn) await(ctx context.Context, wait time.Duration, drain <-chan struct{}, ask func(context.Context, time.Duration) (fate, error)) error {
	begun := time.Now()
	until, giveUp := begun.Add(bounded(wait)), begun.Add(max(bounded(wait), c.o.TryFor))
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		asking, stop := context.WithCancel(ctx)
		drained := whenClosed(asking, drain, stop)
		f, err := ask(asking, wait)
		stop()
		if <-drained && isContext(err) && ctx.Err() == nil {
			_, err = ask(ctx, 0)
			return err
		}
		next := time.Now().Add(pause)
		again := errors.Is(err, bridge.ErrGatewayAway) && next.Before(giveUp) || err == nil && f.draining && next.Before(until)
		if !again {
			return err
		}
		if sleep.For(ctx, spread(pause)) != nil {
			return ctx.Err()
		}
		wait = max(0, time.Until(until))
	}
}

// whenClosed calls fn if drain is closed before ctx ends, and sends whether it was closed.
func whenClosed(ctx context.Context, drain <-chan struct{}, fn func()) <-chan bool {
	closed := make(chan bool, 1)
	go func() {
		select {
		case <-drain:
			closed <- true
			fn()
		case <-ctx.Done():
			closed <- false
		}
	}()
	return closed
}

// HistoryWithin returns earlier messages.
func (c *Conn) HistoryWithin(ctx context.Context, cr bridge.Credentials, before int64, limit, bytes int) (out bridge.History, err error) {
	_, err = c.do(ctx, request{name: "HistoryWithin", arguments: []any{cr, before, limit, bytes}, again: true}, &out)
	return out, err
}

// Confirm marks the messages of a delivery as read.
func (c *Conn) Confirm(ctx context.Context, claim bridge.Claim) error {
	_, err := c.do(ctx, request{name: "Confirm", arguments: []any{claim}, again: true})
	return err
}

// GiveBack returns the messages of a delivery to the inbox.
func (c *Conn) GiveBack(ctx context.Context, claim bridge.Claim) error {
	_, err := c.do(ctx, request{name: "GiveBack", arguments: []any{claim}, again: true})
	return err
}

// Renew extends the claim on the messages of a delivery. A failed renewal is not repeated,
// because the next one follows within a second.
func (c *Conn) Renew(ctx context.Context, claim bridge.Claim) error {
	_, err := c.do(ctx, request{name: "Renew", arguments: []any{claim}, again: true, single: true})
	return err
}
