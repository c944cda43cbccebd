package bridge

import (
	"cmp"
	"context"
	"time"
)

// Times of delivery.
const (
	// MaxWait is the longest that Check waits for mail.
	MaxWait = 50 * time.Second
	// ClaimFor is how long messages stay with an answer that is being written.
	// Whoever writes it renews the claim; a crash gives them back after it.
	ClaimFor = 3 * time.Second
	// RenewEvery is how often a claim is to be renewed.
	RenewEvery = time.Second

	clockStep    = 2 * ClaimFor           // no claim ends later than that, unless the clock was set back
	busyPatience = ClaimFor + RenewEvery  // a crash's claim has run out by then
	lookAgain    = time.Second            // a doorbell is a hint: look into the store that often
	lookQuickly  = 100 * time.Millisecond // the same, where no doorbell could be hung up
)

// CheckRequest asks for the caller's mail.
type CheckRequest struct {
	// Limit is the number of messages to deliver at most; 0 means DefaultPage.
	Limit int
	// Wait is how long to wait for mail when there is none, up to MaxWait.
	Wait time.Duration
	// Bytes ends the page early, behind at least one message; 0 means PageBytes.
	Bytes int
}

// Claim is a batch of messages that is on its way to a client. The store keeps
// it: as long as it stands nobody else is given these or later messages.
type Claim struct {
	Conversation string
	Session      SessionID
	// ID tells this claim from later ones of the same session; 0 means that
	// nothing was claimed.
	ID int64
}

// ClaimStands reports whether a claim that ends at until stands at now. One that
// ends later than claims do was made before the clock was set back: it is void,
// or it would keep the mail for as long as the clock went back.
func ClaimStands(until, now time.Time) bool {
	return now.Before(until) && until.Sub(now) < clockStep
}

// Delivery is the answer to Check: messages in order, not yet read. They are
// read once Confirm was called, and come again after GiveBack or a crash.
type Delivery struct {
	Messages []Message
	// HasMore reports that more messages wait behind these.
	HasMore bool
	// Unread counts the messages that wait behind these.
	Unread int64
	Claim  Claim
}

// Take asks a store for unread messages.
type Take struct {
	Page
	ClaimUntil time.Time
}

// Taken is a store's answer to Take.
type Taken struct {
	Delivery
	// Busy reports that another answer holds the next messages, of which Unread
	// tells how many there are. Nothing was taken, charged or recorded: ask again.
	Busy bool
}

// Inbox is a look at a session's mail that changes nothing.
type Inbox struct {
	Proof
	Unread int64
	// LastSeq is the number of the last message, 0 without one.
	LastSeq int64
	// Claimed counts those of the unread that the last claim was made on, and
	// ClaimedUntil is when it ends; zero without one.
	Claimed      int64
	ClaimedUntil time.Time
}

// waiting counts the messages that the session has yet to ask for: those of a
// claim that stands are on their way to it.
func (i Inbox) waiting(now time.Time) int64 {
	if ClaimStands(i.ClaimedUntil, now) {
		return i.Unread - i.Claimed
	}
	return i.Unread
}

// Check takes the caller's unread messages. When there are none it waits up to
// r.Wait, and returns the moment that any process commits one; it also returns,
// with what there is, when drain is closed because the process is to end.
//
// The caller has to end the delivery: Confirm once the answer was written whole,
// GiveBack if it will not be, and Renew every RenewEvery until then.
func (s *Service) Check(ctx context.Context, c Credentials, r CheckRequest, drain <-chan struct{}) (Delivery, error) {
	g := s.ReadGate(c, "check_messages")
	limit, err := pageSize(r.Limit)
	if r.Wait < 0 || r.Wait > MaxWait {
		err = Invalid("wait_seconds", "must be 0 to %d", int(MaxWait.Seconds()))
	}
	if err != nil {
		return Delivery{}, s.Refuse(ctx, g, err)
	}
	page := Page{Limit: limit, Bytes: cmp.Or(r.Bytes, PageBytes)}
	if r.Wait == 0 {
		return s.take(ctx, c, page, time.Time{}, drain)
	}
	return s.takeWithin(ctx, c, page, r.Wait, drain)
}

// take takes what there is. Where another answer to the same session is being
// written it waits for the end of that, which is a crash's claim at the latest:
// answering "nothing" would be wrong, and going on behind it out of order. It
// does not wait for a client that is slow to read its answer, nor in a process
// that is to end: it answers that there is more.
//
// Where deadline is not zero, a store that another process keeps is not waited
// for beyond it, but for lookAgain.
func (s *Service) take(ctx context.Context, c Credentials, page Page, deadline time.Time, drain <-chan struct{}) (Delivery, error) {
	pause := 2 * time.Millisecond
	patience := time.NewTimer(busyPatience)
	defer patience.Stop()
	for {
		g := s.ReadGate(c, "check_messages")
		taken, err := s.takeOnce(ctx, g, Take{Page: page, ClaimUntil: g.Now.Add(ClaimFor)}, deadline)
		if err != nil || !taken.Busy {
			s.renewIfLate(ctx, g.Now, taken.Claim)
			return taken.Delivery, err
		}
		select {
		case <-ctx.Done():
			return Delivery{}, ctx.Err()
		case <-drain:
			return taken.Delivery, nil
		case <-patience.C:
			return taken.Delivery, nil
		case <-time.After(pause):
		}
		pause = min(2*pause, lookQuickly)
	}
}

func (s *Service) takeOnce(ctx context.Context, g Gate, t Take, deadline time.Time) (Taken, error) {
	if deadline.IsZero() {
		return s.store.TakeUnread(ctx, g, t)
	}
	ctx, cancel := context.WithTimeout(ctx, max(time.Until(deadline), lookAgain))
	defer cancel()
	return s.store.TakeUnread(ctx, g, t)
}

// renewIfLate lets a claim count from now where the store took long to give it:
// other processes may have kept it busy, and the claim has run since before that.
func (s *Service) renewIfLate(ctx context.Context, since time.Time, claim Claim) {
	if claim.ID != 0 && s.Now().Sub(since) >= RenewEvery {
		_ = s.Renew(ctx, claim) // without it the messages come again at worst, marked
	}
}

func (s *Service) takeWithin(ctx context.Context, c Credentials, page Page, wait time.Duration, drain <-chan struct{}) (Delivery, error) {
	patience, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	deadline := time.Now().Add(wait)
	for {
		again, err := s.awaitMail(patience, c, drain)
		if err != nil {
			return Delivery{}, err
		}
		if ctx.Err() != nil {
			return Delivery{}, ctx.Err()
		}
		// Another process of the same session may be quicker: then wait on. A store
		// that somebody keeps is not waited for much longer than the mail.
		d, err := s.take(ctx, c, page, deadline, drain)
		if err != nil || len(d.Messages) > 0 || !again {
			return d, err
		}
		pauseFor(patience, lookQuickly) // whatever the reason, do not spin
	}
}

// pauseFor waits for d, or for the end of ctx.
func pauseFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// awaitMail returns when there is something to take for c, which includes a
// refusal, and true; or when ctx or drain has ended, and false.
func (s *Service) awaitMail(ctx context.Context, c Credentials, drain <-chan struct{}) (bool, error) {
	return s.await(ctx, c, drain, func(ctx context.Context) (bool, error) { return s.mailReady(ctx, c) })
}

// await returns when ready says so, looking whenever c's doorbell rings; or when
// ctx or drain has ended, and false.
func (s *Service) await(ctx context.Context, c Credentials, drain <-chan struct{}, ready func(context.Context) (bool, error)) (bool, error) {
	if ready, err := ready(ctx); ready || err != nil {
		return ready, err
	}
	every := lookQuickly
	var rings <-chan struct{}
	if bell, err := s.bells.Listen(bellKey(c.Conversation, c.Session)); err == nil {
		defer func() { _ = bell.Close() }()
		every, rings = lookAgain, bell.C
	}
	timer := time.NewTicker(every)
	defer timer.Stop()
	for {
		// Listen first, look then: what is committed in between is seen.
		if ready, err := ready(ctx); ready || err != nil {
			return ready, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-drain:
			return false, nil
		case <-rings:
		case <-timer.C:
		}
	}
}

// mailReady reports whether a take for c would bring messages or a refusal.
func (s *Service) mailReady(ctx context.Context, c Credentials) (bool, error) {
	g := s.ReadGate(c, "check_messages")
	inbox, err := s.store.PeekInbox(ctx, g.Conversation, g.Session)
	if ctx.Err() != nil {
		return false, nil //nolint:nilerr // the end of the wait is no failure
	}
	if err != nil {
		return false, err
	}
	return !g.Prove(inbox.Proof) || inbox.Unread > 0 && !ClaimStands(inbox.ClaimedUntil, g.Now), nil
}

// Confirm marks the messages of a delivery read: its answer was written whole.
func (s *Service) Confirm(ctx context.Context, claim Claim) error {
	if claim.ID == 0 {
		return nil
	}
	if err := s.store.ConfirmRead(ctx, s.claimOperation(claim, "messages_delivered"), claim); err != nil {
		return err
	}
	s.Ring(claim.Conversation, claim.Session) // who waits for the messages behind these
	return nil
}

// GiveBack ends a delivery whose answer will not arrive: its messages come
// again, marked redelivered, before any later one.
func (s *Service) GiveBack(ctx context.Context, claim Claim) error {
	if claim.ID == 0 {
		return nil
	}
	if err := s.store.ReleaseRead(ctx, s.claimOperation(claim, "messages_given_back"), claim); err != nil {
		return err
	}
	s.Ring(claim.Conversation, claim.Session)
	return nil
}

// Renew keeps a delivery's messages with it for another ClaimFor.
func (s *Service) Renew(ctx context.Context, claim Claim) error {
	return s.store.RenewRead(ctx, claim, s.Now().Add(ClaimFor))
}

func (s *Service) claimOperation(claim Claim, action string) Operation {
	return Operation{
		Now:          s.Now(),
		Actor:        string(claim.Session),
		Conversation: claim.Conversation,
		Action:       action,
		Details:      Details{},
	}
}
