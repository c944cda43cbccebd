package bridge

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// Collected is the result of CheckAll: mail of several sessions.
type Collected struct {
	// Messages are the oldest unread messages, in the order in which they were
	// stored. Each names its conversation.
	Messages []Message
	// HasMore reports that more messages follow these, and Unread how many.
	HasMore bool
	Unread  int64
	// Each of the Claims has to be ended like that of a Delivery.
	Claims []Claim
	// Refused are the sessions that their tokens no longer prove.
	Refused []Credentials
}

// MaxTogether is how many sessions one call can name.
const MaxTogether = 1000

// Head is what is known about an unread message before it is taken.
type Head struct {
	ID    int64
	Bytes int // bytes of its text and file names
}

// CheckAll is Check for several sessions at once. It takes the oldest messages of
// all of them, and waits until one of them has mail. The error is ErrUnauthorized
// if no token is valid.
func (s *Service) CheckAll(ctx context.Context, all []Credentials, r CheckRequest, drain <-chan struct{}) (Collected, error) {
	if len(all) == 0 || len(all) > MaxTogether {
		return Collected{}, s.RefuseOpenCall(ctx, "check_messages", Invalid("conversation_id", "is needed: 1 to %d conversations can be checked at once", MaxTogether))
	}
	page, err := r.page()
	if err != nil {
		return Collected{}, s.Refuse(ctx, s.ReadGate(ctx, all[0], "check_messages"), err)
	}
	if r.Wait > 0 {
		if err := s.awaitAny(ctx, all, r.Wait, drain); err != nil {
			return Collected{}, err
		}
	}
	c := collector{service: s, page: page, drain: drain}
	if err := c.collect(ctx, all); err != nil {
		for _, claim := range c.Claims {
			_ = s.GiveBack(ctx, claim) // if this fails, the messages are delivered again in a few seconds
		}
		return Collected{}, err
	}
	return c.Collected, nil
}

// awaitAny returns when one of the sessions has mail, when none of them can get
// any more, when the timeout has passed, or when drain is closed.
func (s *Service) awaitAny(ctx context.Context, all []Credentials, timeout time.Duration, drain <-chan struct{}) error {
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := s.waitMail(within, all, drain, func(within context.Context, views []SessionView) (bool, error) {
		lasts := 0
		for i, c := range all {
			ready, last := s.mailReady(within, c, views[i])
			if ready && !last {
				return true, nil
			}
			if last {
				lasts++
			}
		}
		return lasts == len(all), nil
	})
	return errors.Join(err, ctx.Err())
}

// multiNotifier is a Notifier that listens for several keys at once.
type multiNotifier struct {
	Notifier
	keys []string
}

func (t multiNotifier) Listen(string) (<-chan struct{}, func() error, error) {
	if len(t.keys) == 1 {
		return t.Notifier.Listen(t.keys[0])
	}
	var stops []func() error
	merged, ended := make(chan struct{}, 1), make(chan struct{})
	stop := func() error {
		close(ended) // anything forwarded until then is never read
		var errs []error
		for _, stop := range stops {
			errs = append(errs, stop())
		}
		return errors.Join(errs...)
	}
	for _, key := range t.keys {
		rings, stopOne, err := t.Notifier.Listen(key)
		if err != nil {
			return nil, nil, errors.Join(err, stop())
		}
		stops = append(stops, stopOne)
		go forward(rings, merged, ended)
	}
	return merged, stop, nil
}

// forward passes rings on until ended is closed. Rings that were not received yet
// are merged into one.
func forward(rings <-chan struct{}, merged chan<- struct{}, ended <-chan struct{}) {
	for {
		select {
		case <-ended:
			return
		case <-rings:
			select {
			case merged <- struct{}{}:
			default:
			}
		}
	}
}

// collector takes the mail of several sessions.
type collector struct {
	Collected
	service *Service
	page    Page
	drain   <-chan struct{}
	why     error // why the last session in Refused was refused
}

// waiting is a session with the first of its unread messages.
type waiting struct {
	Credentials
	unread int64
	heads  []Head
	take   int
}

func (c *collector) collect(ctx context.Context, all []Credentials) error {
	inboxes, err := c.peekAll(ctx, all)
	if err != nil {
		return err
	}
	if len(inboxes) == 0 {
		return c.why
	}
	share(inboxes, c.page)
	if !slices.ContainsFunc(inboxes, func(w *waiting) bool { return w.take > 0 }) {
		inboxes[0].take = 1 // a check that finds nothing is charged and recorded too
	}
	for _, w := range inboxes {
		if err := c.takeFrom(ctx, w); err != nil {
			return err
		}
		c.Unread += w.unread
	}
	slices.SortFunc(c.Messages, func(a, b Message) int { return cmp.Compare(a.ID, b.ID) })
	c.HasMore = c.Unread > 0
	return nil
}

// peekAll reads the first unread messages of each session.
func (c *collector) peekAll(ctx context.Context, all []Credentials) (inboxes []*waiting, err error) {
	s := c.service
	for _, of := range all {
		g := s.ReadGate(ctx, of, "check_messages")
		view, err := s.store.PeekInbox(ctx, g.Conversation, g.Session)
		if err != nil {
			return nil, err
		}
		if !g.Admits(view.Proof) {
			err := s.store.Refuse(ctx, g)
			if err == nil || !errors.Is(err, ErrUnauthorized) {
				return nil, err
			}
			c.Refused, c.why = append(c.Refused, of), err
			continue
		}
		w := &waiting{Credentials: of, unread: view.Waiting(g.Now)}
		if view.Ready(g.Now) {
			if w.heads, err = s.store.UnreadHeads(ctx, g.Conversation, g.Session, c.page.Limit); err != nil {
				return nil, err
			}
		}
		if signOfLifeDue(view.SeenAt, g.Now) {
			_ = s.store.NoteSeen(ctx, g.Conversation, g.Session, g.Now)
		}
		inboxes = append(inboxes, w)
	}
	return inboxes, nil
}

// share decides how many messages to take from each session, so that the page
// holds the oldest of all.
func share(inboxes []*waiting, page Page) {
	size := 0
	for taken := range page.Limit {
		var oldest *waiting
		for _, w := range inboxes {
			if w.take < len(w.heads) && (oldest == nil || w.heads[w.take].ID < oldest.heads[oldest.take].ID) {
				oldest = w
			}
		}
		if oldest == nil {
			return
		}
		size += oldest.heads[oldest.take].Bytes
		if taken > 0 && size > page.Bytes {
			return
		}
		oldest.take++
	}
}

func (c *collector) takeFrom(ctx context.Context, w *waiting) error {
	if w.take == 0 {
		return nil
	}
	taken, err := c.service.take(ctx, w.Credentials, Page{Limit: w.take, Bytes: c.page.Bytes}, time.Time{}, c.drain)
	var limited *RateLimitError
	if errors.As(err, &limited) && len(c.Claims) > 0 {
		return nil // the message is left for the next call
	}
	if err != nil {
		return err
	}
	for _, m := range taken.Messages {
		m.Conversation = w.Conversation
		c.Messages = append(c.Messages, m)
	}
	w.unread = taken.Unread
	if taken.Claim.ID != 0 {
		c.Claims = append(c.Claims, taken.Claim)
	}
	return nil
}
