package bridge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Times of delivery.
const (
	// MaxWait is the longest time that Check waits for mail.
	MaxWait = 50 * time.Second
	// ClaimFor is how long messages stay claimed by the answer that is being
	// written. The process that writes it renews the claim. After a crash, the
	// claim expires and the messages are available again.
	ClaimFor = 3 * time.Second
	// RenewEvery is how often a claim has to be renewed.
	RenewEvery = time.Second

	clockStep   = 2 * ClaimFor          // no claim ends later than this, unless the clock was set back
	busyTimeout = ClaimFor + RenewEvery // by then the claim of a crashed process has expired
)

// CheckRequest holds the arguments of Check.
type CheckRequest struct {
	// Limit is the largest number of messages to deliver. 0 means DefaultPage.
	Limit int
	// Wait is how long to wait if there is no mail, up to MaxWait.
	Wait time.Duration
	// Bytes limits the size of the page, which holds at least one message. 0 means
	// PageBytes, which is also the maximum.
	Bytes int
}

// Claim is a batch of messages that is being delivered to a client. It is kept
// by the store: while it is valid, no other call gets these or later messages.
type Claim struct {
	Conversation string
	Session      SessionID
	// ID distinguishes this claim from later claims of the same session. 0
	// means that nothing was claimed.
	ID int64
	// Proof is made by the service that handed the claim out, and is checked when
	// the claim comes back: whoever holds a claim may end it, and nobody can
	// forge one. Stores neither set nor keep it.
	Proof string
}

// Delivery is the result of Check: messages in order, not yet read. They are
// marked read by Confirm, and are delivered again after GiveBack or a crash.
type Delivery struct {
	Messages []Message
	// HasMore reports that more messages follow these.
	HasMore bool
	// Unread counts the messages that follow these.
	Unread int64
	Claim  Claim
	// Standing is the caller's. It is zero if another answer holds the messages.
	Standing Standing
}

// Take holds the arguments of Store.TakeUnread.
type Take struct {
	Page
	ClaimUntil time.Time
}

// Taken is the result of Store.TakeUnread.
type Taken struct {
	Delivery
	// Busy reports that another answer holds the next messages; Unread is how many
	// there are. Nothing was taken, charged or recorded, and the caller should ask
	// again.
	Busy bool
}

// Busy returns the result of a take if another answer holds the next messages of the
// inbox. It is checked first, because such a take is neither charged nor recorded.
func (t Take) Busy(g Gate, i Inbox) (taken Taken, busy bool) {
	if !i.Busy(g.Now) {
		return Taken{}, false
	}
	return Taken{Busy: true, Delivery: Delivery{HasMore: true, Unread: i.Unread()}}, true
}

// Hand returns the result of a take that was charged: the first unread messages of an
// inbox, under a claim, and the inbox to keep. If there are no messages, nothing is
// claimed or kept, and the log may fold the call with others like it. Standing is the
// caller's before the call. Hand sets in g's details what the log keeps of the call.
func (t Take) Hand(g Gate, i Inbox, standing Standing, messages []Message, more bool) (taken Taken, kept Inbox) {
	taken.Messages, taken.HasMore = messages, more
	taken.Unread, taken.Standing = i.Unread()-int64(len(messages)), standing
	g.Details["messages"] = len(messages)
	if len(messages) == 0 {
		return taken, i
	}
	kept = i.hand(messages, t.ClaimUntil, g.Details)
	taken.Standing.Unread = kept.Waiting(g.Now)
	taken.Claim = Claim{Conversation: g.Conversation, Session: g.Session, ID: kept.ClaimID}
	return taken, kept
}

// SessionView is the state of a session, read without changing it.
type SessionView struct {
	Proof
	Inbox
	// Shared are the files for Standing.
	Shared Shared
}

// Check takes the caller's unread messages. If there are none, it waits up to
// r.Wait and returns as soon as any process commits one. It also returns, with
// whatever there is, when drain is closed because the process is about to end.
//
// The caller has to end the delivery: with Confirm once the answer was written
// completely, or with GiveBack if it will not be. Until then it has to call
// Renew every RenewEvery.
func (s *Service) Check(ctx context.Context, c Credentials, r CheckRequest, drain <-chan struct{}) (Delivery, error) {
	page, err := r.page()
	if err != nil {
		return Delivery{}, s.Refuse(ctx, s.ReadGate(ctx, c, "check_messages"), err)
	}
	if r.Wait == 0 {
		taken, err := s.take(ctx, c, page, time.Time{}, drain)
		return taken.Delivery, err
	}
	taken, err := s.takeWithin(ctx, c, page, r.Wait, drain)
	return taken.Delivery, err
}

// page returns the arguments for the store, or an InvalidError.
func (r CheckRequest) page() (Page, error) {
	limit, err := pageSize(r.Limit)
	if r.Wait < 0 || r.Wait > MaxWait {
		err = Invalid("wait_seconds", "must be 0 to %d", int(MaxWait.Seconds()))
	}
	return Page{Limit: limit, Bytes: PageWithin(r.Bytes)}, err
}

// take takes the available messages. If another answer to the same session is
// being written, it waits until that ends or, after a crash, until its claim
// expires: to report no messages would be wrong, and to deliver later ones
// would break the order. It does not wait for a client that is slow to read its
// answer, nor in a process that is about to end; then it reports that there are
// more messages.
//
// If deadline is not zero, take waits for a store that another process keeps
// busy only until then, or for checkAgain if that is later.
func (s *Service) take(ctx context.Context, c Credentials, page Page, deadline time.Time, drain <-chan struct{}) (taken Taken, err error) {
	timeout, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	_, err = wait(timeout, s.bells, bellKey(c.Conversation, c.Session), drain, func(context.Context) (bool, error) {
		g := s.ReadGate(ctx, c, "check_messages")
		var err error
		taken, err = s.takeOnce(ctx, g, Take{Page: page, ClaimUntil: g.Now.Add(ClaimFor)}, deadline)
		taken.Claim = s.signed(taken.Claim)
		s.renewIfLate(ctx, g.Now, taken.Claim)
		return !taken.Busy, err
	})
	if taken.Busy && ctx.Err() != nil {
		return Taken{}, ctx.Err()
	}
	return taken, err
}

func (s *Service) takeOnce(ctx context.Context, g Gate, t Take, deadline time.Time) (Taken, error) {
	if deadline.IsZero() {
		return s.store.TakeUnread(ctx, g, t)
	}
	ctx, cancel := context.WithTimeout(ctx, max(time.Until(deadline), checkAgain))
	defer cancel()
	return s.store.TakeUnread(ctx, g, t)
}

// renewIfLate renews a claim that the store took long to grant, for example
// because other processes kept it busy: the claim's time has been running since
// before that.
func (s *Service) renewIfLate(ctx context.Context, since time.Time, claim Claim) {
	if claim.ID != 0 && s.Now().Sub(since) >= RenewEvery {
		_ = s.Renew(ctx, claim) // if this fails, at worst the messages are delivered again, marked as redelivered
	}
}

// takeWithin is take for a caller that waits if there is no mail. If another
// process of the same session takes the mail first, it keeps waiting.
func (s *Service) takeWithin(ctx context.Context, c Credentials, page Page, timeout time.Duration, drain <-chan struct{}) (taken Taken, err error) {
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	deadline := time.Now().Add(timeout)
	found, err := s.waitMail(within, []Credentials{c}, drain, func(within context.Context, views []SessionView) (bool, error) {
		ready, last := s.mailReady(within, c, views[0])
		if !ready {
			return false, nil
		}
		var err error
		taken, err = s.take(ctx, c, page, deadline, drain)
		return last || len(taken.Messages) > 0, err
	})
	if found || err != nil {
		return taken, err
	}
	if ctx.Err() != nil {
		return Taken{}, ctx.Err()
	}
	return s.take(ctx, c, page, deadline, drain)
}

// mailReady reports whether a take for c would return messages or a refusal. last
// is true if a take would be refused or the conversation has expired, so that
// there is nothing more to wait for.
func (s *Service) mailReady(ctx context.Context, c Credentials, view SessionView) (ready, last bool) {
	g := s.ReadGate(ctx, c, "check_messages")
	last = !g.Admits(view.Proof) || view.Expired(g.Now)
	ready = last || view.Ready(g.Now)
	if !ready && signOfLifeDue(view.SeenAt, g.Now) {
		s.noteSeen(ctx, c, view.SeenAt, g.Now) // the call that follows the wait is another sign of life
	}
	return ready, last
}

// noteSeen records a sign of life of a waiting session. It is recorded together with
// those of other sessions if the previous one is recent, which is the case for all but
// the first of a wait.
func (s *Service) noteSeen(ctx context.Context, c Credentials, last, now time.Time) {
	age := now.Sub(last)
	if age >= 0 && age < noteTogether && s.mailPoller.noteLater(Address{c.Conversation, c.Session}, now) {
		return
	}
	_ = s.store.NoteSeen(ctx, c.Conversation, c.Session, now) // if this fails, the session looks silent for a moment
}

// Confirm marks the messages of a delivery read. Call it when the answer was
// written completely.
func (s *Service) Confirm(ctx context.Context, claim Claim) error {
	return s.endClaim(ctx, claim, "messages_delivered", ConfirmClaim)
}

// GiveBack ends a delivery whose answer will not arrive. Its messages are
// delivered again, before any later ones and marked as redelivered.
func (s *Service) GiveBack(ctx context.Context, claim Claim) error {
	return s.endClaim(ctx, claim, "messages_given_back", ReleaseClaim)
}

func (s *Service) endClaim(ctx context.Context, claim Claim, action string, rule ClaimRule) error {
	if claim.ID == 0 {
		return nil
	}
	if err := s.admitClaim(ctx, claim, action); err != nil {
		return err
	}
	if err := s.store.EndClaim(ctx, s.claimOperation(claim, action), claim, rule); err != nil {
		return err
	}
	s.Ring(claim.Conversation, claim.Session) // wake those who wait for the rest
	return nil
}

// Renew extends a delivery's claim by ClaimFor from now.
func (s *Service) Renew(ctx context.Context, claim Claim) error {
	if err := s.admitClaim(ctx, claim, "messages_kept"); err != nil {
		return err
	}
	return s.store.RenewClaim(ctx, claim, renewClaim(s.Now().Add(ClaimFor)))
}

// admitClaim checks that a claim was handed out by a service on this store. It refuses
// a caller that may not act in the claim's conversation, and records that under action,
// since the messages were given to somebody else.
func (s *Service) admitClaim(ctx context.Context, claim Claim, action string) error {
	if !s.genuine(claim) {
		return ErrUnauthorized
	}
	if !outside(ctx, claim.Conversation) {
		return nil
	}
	g := s.BesideGate(ctx, Credentials{Conversation: claim.Conversation, Session: claim.Session}, action)
	g.Prove = func(p Proof) bool { return len(p.Nonce) > 0 } // the claim itself is the proof, as long as the session exists
	if err := s.store.Refuse(ctx, g); err != nil {
		return err
	}
	return ErrOutOfBounds
}

// signed returns the claim with its proof. A claim of nothing needs none.
func (s *Service) signed(claim Claim) Claim {
	if claim.ID != 0 {
		claim.Proof = s.claimProof(claim)
	}
	return claim
}

// genuine reports whether a service on the same store handed out the claim.
func (s *Service) genuine(claim Claim) bool {
	return hmac.Equal([]byte(claim.Proof), []byte(s.claimProof(claim)))
}

// claimProof returns an HMAC over everything in the claim. No two claims yield
// the same text, because neither a conversation's ID nor a session's contains a
// "/".
func (s *Service) claimProof(claim Claim) string {
	mac := hmac.New(sha256.New, s.claims)
	mac.Write(fmt.Appendf(nil, "%s/%s/%d", claim.Conversation, claim.Session, claim.ID))
	return hex.EncodeToString(mac.Sum(nil))
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
