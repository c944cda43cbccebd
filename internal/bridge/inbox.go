package bridge

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Inbox is the mail of one session in numbers, and the claim on it. Messages 1
// to ReadSeq are read, those up to LastSeq are unread. Of the unread, those up
// to ClaimSeq are on their way until ClaimUntil, and those up to HandedSeq were
// handed out at least once.
type Inbox struct {
	LastSeq, ReadSeq, HandedSeq int64
	// ClaimID counts the claims; it is never used again.
	ClaimID, ClaimSeq int64
	// ClaimUntil is zero when no claim stands.
	ClaimUntil time.Time
}

// Unread counts the messages that are not read.
func (i Inbox) Unread() int64 { return i.LastSeq - i.ReadSeq }

// Waiting counts the messages that the session has yet to ask for: those of a
// claim that stands are on their way to it.
func (i Inbox) Waiting(now time.Time) int64 {
	if ClaimStands(i.ClaimUntil, now) {
		return i.LastSeq - max(i.ReadSeq, i.ClaimSeq)
	}
	return i.Unread()
}

// Busy reports whether another answer holds the next messages.
func (i Inbox) Busy(now time.Time) bool { return i.Unread() > 0 && ClaimStands(i.ClaimUntil, now) }

// Ready reports whether a take would bring messages.
func (i Inbox) Ready(now time.Time) bool { return i.Unread() > 0 && !i.Busy(now) }

// ClaimStands reports whether a claim that ends at until stands at now. One that
// ends later than claims do was made before the clock was set back: it is void,
// or it would keep the mail for as long as the clock went back.
func ClaimStands(until, now time.Time) bool {
	return now.Before(until) && until.Sub(now) < clockStep
}

// hand claims messages, which begin after the last that was read, for one
// answer until a time, and marks those that were handed out before. It returns
// the inbox to keep.
func (i Inbox) hand(messages []Message, until time.Time, details Details) Inbox {
	again := 0
	for n := range messages {
		if messages[n].Seq <= i.HandedSeq {
			messages[n].Redelivered = true
			again++
		}
	}
	first, last := messages[0].Seq, messages[len(messages)-1].Seq
	details["first_seq"], details["last_seq"] = first, last
	if again > 0 {
		details["redelivered"] = again
	}
	i.ClaimID, i.ClaimSeq, i.ClaimUntil = i.ClaimID+1, last, until
	i.HandedSeq = max(i.HandedSeq, last)
	return i
}

// A ClaimRule says what becomes of an inbox when the claim with the given ID is
// confirmed, given back or renewed. ok is false where nothing is to be done:
// another claim has taken its place, or it has ended. It is pure.
type ClaimRule func(i Inbox, id int64) (kept Inbox, ok bool)

// ConfirmClaim marks the messages of a claim read. It does so as well for one
// that has run out, as long as no other has taken its place.
func ConfirmClaim(i Inbox, id int64) (Inbox, bool) {
	if i.ClaimID != id || i.ReadSeq >= i.ClaimSeq {
		return i, false
	}
	i.ReadSeq, i.ClaimUntil = i.ClaimSeq, time.Time{}
	return i, true
}

// ReleaseClaim ends a claim without marking anything read.
func ReleaseClaim(i Inbox, id int64) (Inbox, bool) {
	if !i.claimed(id) || i.ReadSeq >= i.ClaimSeq {
		return i, false
	}
	i.ClaimUntil = time.Time{}
	return i, true
}

// renewClaim moves the end of a claim.
func renewClaim(until time.Time) ClaimRule {
	return func(i Inbox, id int64) (Inbox, bool) {
		if !i.claimed(id) {
			return i, false
		}
		i.ClaimUntil = until
		return i, true
	}
}

// claimed reports whether the claim with the given ID has not ended.
func (i Inbox) claimed(id int64) bool { return i.ClaimID == id && !i.ClaimUntil.IsZero() }

// ReadMessage is a message that a session has read: its ID, and who sent it.
type ReadMessage struct {
	ID     int64
	Sender string
}

// Receipt tells a sender how far another session has read its messages.
type Receipt struct {
	Sender SessionID
	// ID is the last one that was read, and Count how many were read with it.
	ID, Count int64
}

// Receipts are what the senders of messages are told when they are read, in order of
// the senders. Only sessions are: neither the bridge nor its operator waits for that.
func Receipts(read []ReadMessage) []Receipt {
	of := map[SessionID]Receipt{}
	for _, m := range read {
		sender := SessionID(m.Sender)
		if !sender.Valid() {
			continue
		}
		r := of[sender]
		of[sender] = Receipt{Sender: sender, ID: max(r.ID, m.ID), Count: r.Count + 1}
	}
	return slices.SortedFunc(maps.Values(of), func(a, b Receipt) int { return cmp.Compare(a.Sender, b.Sender) })
}
