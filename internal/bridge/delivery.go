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
	// MaxWait is the longest that Check waits for mail.
	MaxWait = 50 * time.Second
	// ClaimFor is how long messages stay with an answer that is being written.
	// Whoever writes it renews the claim; a crash gives them back after it.
	ClaimFor = 3 * time.Second
	// RenewEvery is how often a claim is to be renewed.
	RenewEvery = time.Second

	clockStep   = 2 * ClaimFor          // no claim ends later than that, unless the clock was set back
	busyTimeout = ClaimFor + RenewEvery // a crash's claim has run out by then
)

// CheckRequest asks for the caller's mail.
type CheckRequest struct {
	// Limit is the number of messages to deliver at most; 0 means DefaultPage.
	Limit int
	// Wait is how long to wait for mail when there is none, up to MaxWait.
	Wait time.Duration
	// Bytes ends the page early, behind at least one message; 0 means PageBytes, and
	// there are never more.
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
	// Proof is made by the service that handed the claim out, and is checked when
	// it comes back: who holds a claim may end it, and nobody can make one up.
	// Stores neither set nor keep it.
	Proof string
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
	// Standing is the caller's. It is zero where another answer holds the messages.
	Standing Standing
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

// Busy is the answer to a take where another answer holds the next messages of an inbox.
// It is decided first: such a take is neither charged nor recorded.
func (t Take) Busy(g Gate, i Inbox) (taken Taken, busy bool) {
	if !i.Busy(g.Now) {
		return Taken{}, false
	}
	return Taken{Busy: true, Delivery: Delivery{HasMore: true, Unread: i.Unread()}}, true
}

// Hand is the answer to a take that was charged: the first unread messages of an inbox,
// under a claim, and the inbox to keep. Where there are none nothing is claimed, nothing
// is kept, and the log may fold the call with others like it. The standing is the
// caller's before. It notes in g's details what the log keeps of the call.
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

// SessionView is the state of a session, read without a change.
type SessionView struct {
	Proof
	Inbox
	// Shared are the files that Standing tells of.
	Shared Shared
}

// Check takes the caller's unread messages. When there are none it waits up to
// r.Wait, and returns the moment that any process commits one; it also returns,
// with what there is, when drain is closed because the process is to end.
//
// The caller has to end the delivery: Confirm once the answer was written whole,
// GiveBack if it will not be, and Renew every RenewEvery until then.
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

// page returns what is asked for, or an InvalidError.
func (r CheckRequest) page() (Page, error) {
	limit, err := pageSize(r.Limit)
	if r.Wait < 0 || r.Wait > MaxWait {
		err = Invalid("wait_seconds", "must be 0 to %d", int(MaxWait.Seconds()))
	}
	return Page{Limit: limit, Bytes: PageWithin(r.Bytes)}, err
}

// take takes what there is. Where another answer to the same session is being
// written it waits for the end of that, which is a crash's claim at the latest:
// answering "nothing" would be wrong, and continuing after it out of order. It
// does not wait for a client that is slow to read its answer, nor in a process
// that is to end: it answers that there is more.
//
// Where deadline is not zero, a store that another process keeps is not waited
// for beyond it, but for checkAgain.
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

// renewIfLate lets a claim count from now where the store took long to give it:
// other processes may have kept it busy, and the claim has run since before that.
func (s *Service) renewIfLate(ctx context.Context, since time.Time, claim Claim) {
	if claim.ID != 0 && s.Now().Sub(since) >= RenewEvery {
		_ = s.Renew(ctx, claim) // without it the messages come again at worst, marked
	}
}

// takeWithin is take for a caller that waits for mail, if there is none. Another
// process of the same session may be quicker to take it: then it waits on.
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

// mailReady reports whether a take for c would bring messages or a refusal. It is
// the last one to wait for where the conversation has expired: no more will come.
func (s *Service) mailReady(ctx context.Context, c Credentials, view SessionView) (ready, last bool) {
	g := s.ReadGate(ctx, c, "check_messages")
	last = !g.Admits(view.Proof) || view.Expired(g.Now)
	ready = last || view.Ready(g.Now)
	if !ready && signOfLifeDue(view.SeenAt, g.Now) {
		s.noteSeen(ctx, c, view.SeenAt, g.Now) // the call at the end of the wait is another
	}
	return ready, last
}

// noteSeen notes a sign of life of a session that waits: together with those of others
// where the last was noted a moment ago, as with each but the first of a wait.
func (s *Service) noteSeen(ctx context.Context, c Credentials, last, now time.Time) {
	age := now.Sub(last)
	if age >= 0 && age < noteTogether && s.lookout.noteLater(Address{c.Conversation, c.Session}, now) {
		return
	}
	_ = s.store.NoteSeen(ctx, c.Conversation, c.Session, now) // without it a session looks silent for a moment
}

// Confirm marks the messages of a delivery read: its answer was written whole.
func (s *Service) Confirm(ctx context.Context, claim Claim) error {
	return s.endClaim(ctx, claim, "messages_delivered", ConfirmClaim)
}

// GiveBack ends a delivery whose answer will not arrive: its messages come
// again, marked redelivered, before any later one.
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
	s.Ring(claim.Conversation, claim.Session) // who waits for what is left
	return nil
}

// Renew keeps a delivery's messages with it for another ClaimFor.
func (s *Service) Renew(ctx context.Context, claim Claim) error {
	if err := s.admitClaim(ctx, claim, "messages_kept"); err != nil {
		return err
	}
	return s.store.RenewClaim(ctx, claim, renewClaim(s.Now().Add(ClaimFor)))
}

// admitClaim lets through who holds a claim that a service on this store handed out. It
// refuses a caller that may not act in the conversation of one, and records that under
// action: somebody else was given the messages.
func (s *Service) admitClaim(ctx context.Context, claim Claim, action string) error {
	if !s.genuine(claim) {
		return ErrUnauthorized
	}
	if !outside(ctx, claim.Conversation) {
		return nil
	}
	g := s.BesideGate(ctx, Credentials{Conversation: claim.Conversation, Session: claim.Session}, action)
	g.Prove = func(p Proof) bool { return len(p.Nonce) > 0 } // the claim is the proof, as long as there is the session
	if err := s.store.Refuse(ctx, g); err != nil {
		return err
	}
	return ErrOutOfBounds
}

// signed is the claim with its proof; one that claims nothing needs none.
func (s *Service) signed(claim Claim) Claim {
	if claim.ID != 0 {
		claim.Proof = s.claimProof(claim)
	}
	return claim
}

// genuine reports whether a service on the same store handed the claim out.
func (s *Service) genuine(claim Claim) bool {
	return hmac.Equal([]byte(claim.Proof), []byte(s.claimProof(claim)))
}

// claimProof is an HMAC over all that the claim says. No two claims give it the
// same text: a conversation's id and a session have no "/".
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
