package fleet

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sleep"
)

// maxRetry limits the pauses of a follower whose store fails.
const maxRetry = 10 * time.Second

// Mailbox is the source of an inbox: bridge.Service, or a connection to a gateway.
type Mailbox interface {
	PeekMessages(ctx context.Context, c bridge.Credentials, after int64, limit int) (bridge.Peeked, error)
	AwaitMessages(ctx context.Context, c bridge.Credentials, after int64) error
	Check(ctx context.Context, c bridge.Credentials, r bridge.CheckRequest, drain <-chan struct{}) (bridge.Delivery, error)
	Confirm(ctx context.Context, claim bridge.Claim) error
	GiveBack(ctx context.Context, claim bridge.Claim) error
	Renew(ctx context.Context, claim bridge.Claim) error
}

// Inbox shows the messages to one session outside its client.
type Inbox struct {
	Bridge  Mailbox
	Session bridge.Credentials
	// MarkRead marks each page read once Show has returned without an error. The
	// agent does not get those messages any more.
	MarkRead bool
	// OnlyNew makes Follow skip the messages that are already waiting. It cannot
	// be combined with MarkRead, which reads messages in order.
	OnlyNew bool
	// Page is the maximum number of messages passed to Show; 0 means
	// bridge.MaxPage.
	Page int
	// Show gets the messages in order. Its error ends the run.
	Show func(context.Context, []bridge.Message) error
	Log  *slog.Logger
}

// Read shows the waiting messages, and returns how many there were. The error
// may be bridge.ErrExpired.
func (in Inbox) Read(ctx context.Context) (int, error) {
	pages := in.peekAll
	if in.MarkRead {
		pages = in.takeAll
	}
	shown, err := pages(ctx)
	return shown, err
}

func (in Inbox) peekAll(ctx context.Context) (shown int, err error) {
	after := int64(bridge.FromUnread)
	for {
		p, err := in.Bridge.PeekMessages(ctx, in.Session, after, in.page())
		if err != nil || len(p.Messages) == 0 {
			return shown, err
		}
		if err := in.Show(ctx, p.Messages); err != nil {
			return shown, err
		}
		shown += len(p.Messages)
		if !p.HasMore {
			return shown, nil
		}
		after = p.Messages[len(p.Messages)-1].Seq
	}
}

func (in Inbox) takeAll(ctx context.Context) (shown int, err error) {
	for {
		n, more, err := in.take(ctx, 0)
		if shown += n; err != nil || !more {
			return shown, err
		}
	}
}

// take shows one page and marks it read. It waits up to wait for messages.
func (in Inbox) take(ctx context.Context, wait time.Duration) (shown int, more bool, err error) {
	d, err := in.Bridge.Check(ctx, in.Session, bridge.CheckRequest{Limit: in.page(), Wait: wait}, ctx.Done())
	if err != nil || len(d.Messages) == 0 {
		return 0, false, err
	}
	stop := in.keep(ctx, d.Claim)
	err = in.Show(ctx, d.Messages)
	stop()
	if err != nil {
		return 0, false, errors.Join(&showError{err}, in.Bridge.GiveBack(context.WithoutCancel(ctx), d.Claim))
	}
	return len(d.Messages), d.HasMore, in.Bridge.Confirm(context.WithoutCancel(ctx), d.Claim)
}

// keep renews a claim until the returned function is called.
func (in Inbox) keep(ctx context.Context, claim bridge.Claim) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var renewing sync.WaitGroup
	renewing.Go(func() {
		for sleep.For(ctx, bridge.RenewEvery) == nil {
			_ = in.Bridge.Renew(ctx, claim) // if this fails, the messages are delivered again, marked as redelivered
		}
	})
	return func() { cancel(); renewing.Wait() }
}

func (in Inbox) page() int {
	if in.Page == 0 {
		return bridge.MaxPage
	}
	return in.Page
}

// showError is an error of Show, for which retrying the store is pointless.
type showError struct{ error }

func (e *showError) Unwrap() error { return e.error }
