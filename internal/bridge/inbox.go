package bridge

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Inbox describes the mail of one session in numbers, and the claim on it.
// Messages 1 to ReadSeq are read, those up to LastSeq are unread. Of the unread
// messages, those up to ClaimSeq are claimed until ClaimUntil, and those up to
// HandedSeq were handed out at least once.
type Inbox struct {
	LastSeq, ReadSeq, HandedSeq int64
	// ClaimID counts the claims, so that an ID is never reused.
	ClaimID, ClaimSeq int64
	// ClaimUntil is zero if there is no claim.
	ClaimUntil time.Time
}

// Unread counts the messages that are not read.
func (i Inbox) Unread() int64 { return i.LastSeq - i.ReadSeq }

// Waiting counts the messages that the session has yet to ask for. Claimed
// messages are already being delivered to it, and are not counted.
func (i Inbox) Waiting(now time.Time) int64 {
	if ClaimStands(i.ClaimUntil, now) {
		return i.LastSeq - max(i.ReadSeq, i.ClaimSeq)
	}
	return i.Unread()
}

// Busy reports whether another answer holds the next messages.
func (i Inbox) Busy(now time.Time) bool { return i.Unread() > 0 && ClaimStands(i.ClaimUntil, now) }

// Ready reports whether a take would return messages.
func (i Inbox) Ready(now time.Time) bool { return i.Unread() > 0 && !i.Busy(now) }

// ClaimStands reports whether a claim that ends at until is valid at now. A
// claim that ends too far ahead was made before the clock was set back. It is
// void, because otherwise it would block the mail until the clock had caught up.
func ClaimStands(until, now time.Time) bool {
	return now.Before(until) && until.Sub(now) < clockStep
}

// hand claims messages for one answer until a time, and marks those that were
// handed out before. The messages begin after the last message read. It returns
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

// A ClaimRule returns an inbox after the claim with the given ID is confirmed,
// given back or renewed. ok is false if nothing has to be changed because the
// claim has ended or was replaced by another. It is pure.
type ClaimRule func(i Inbox, id int64) (kept Inbox, ok bool)

// ConfirmClaim marks the messages of a claim read. It does so even if the claim
// has expired, as long as no other claim has replaced it.
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

// renewClaim returns a rule that sets the end of a claim.
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

// ReadMessage is a message that a session has read: its ID and its sender.
type ReadMessage struct {
	ID     int64
	Sender string
}

// Receipt tells a sender how far another session has read its messages.
type Receipt struct {
	Sender SessionID
	// ID is the last message read, and Count the number of messages that were
	// read in the same step.
	ID, Count int64
}

// Receipts returns the receipts for the senders of messages that were read, ordered
// by sender. Only sessions get receipts, not the bridge or the operator.
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
