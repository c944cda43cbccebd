package summary

import (
	"encoding/json"
	"slices"
	"time"

	"example.org/bridge/internal/audit"
	"example.org/bridge/internal/bridge"
)

// Actions of the audit log that concern the delivery of messages.
const (
	actionSend = "send_to_partner"
	actionRead = "messages_delivered"
	actionLook = "read_conversation"
)

// Mail follows the messages that agents send through the audit log: how long each waited
// until it was delivered, and which the operator has not seen. It must be given the
// entries in order. Notices of the bridge and messages of the operator do not count as
// messages of agents, and for a message sent before the first entry there is no delay.
// The zero Mail has followed nothing.
type Mail struct {
	waiting map[inbox][]sent
	unseen  map[string]Unseen
	swept   time.Time
}

// inbox identifies the inbox of a session.
type inbox struct {
	conversation string
	session      bridge.SessionID
}

// sent is a message that was not delivered yet, by its number in the inbox.
type sent struct {
	seq int64
	at  time.Time
}

// Unseen describes the messages of a conversation since the operator last
// looked at it.
type Unseen struct {
	Messages int64
	// Last is when the last of them was sent.
	Last time.Time
}

// Next processes the next entry of the log, and returns the delay of each message that
// was delivered with it. A delay is never negative, whatever the clocks were.
func (m *Mail) Next(e audit.Entry) []time.Duration {
	if e.Outcome != bridge.OutcomeOK {
		return nil
	}
	switch e.Action {
	case actionSend:
		m.send(e)
	case actionRead:
		return m.deliver(e)
	case actionLook:
		if e.Session == bridge.Operator {
			delete(m.unseen, e.Conversation)
		}
	}
	return nil
}

// Unseen counts the messages of a conversation that were sent since the operator last
// looked at it.
func (m *Mail) Unseen(conversation string) int64 { return m.unseen[conversation].Messages }

// sending is the content of an entry about a message. To and Seqs are set if it has
// several recipients; in a conversation of two, the recipient is the session that did
// not send it.
type sending struct {
	Seq      int64              `json:"seq"`
	To       []bridge.SessionID `json:"to"`
	Seqs     []int64            `json:"seqs"`
	Repeated bool               `json:"repeated"`
}

func (m *Mail) send(e audit.Entry) {
	var s sending
	if json.Unmarshal([]byte(e.Details), &s) != nil || s.Repeated || s.Seq < 1 {
		return
	}
	if m.waiting == nil {
		m.waiting, m.unseen = map[inbox][]sent{}, map[string]Unseen{}
	}
	m.sweep(e.Time)
	to := s.To
	if len(to) == 0 {
		to = []bridge.SessionID{bridge.PairRoster().Partners(bridge.SessionID(e.Session)).IDs()[0]}
	}
	if len(s.Seqs) == 0 {
		s.Seqs = []int64{s.Seq} // for the first recipient
	}
	for i, seq := range s.Seqs[:min(len(s.Seqs), len(to))] {
		of := inbox{e.Conversation, to[i]}
		m.waiting[of] = append(m.waiting[of], sent{seq, e.Time})
	}
	m.unseen[e.Conversation] = Unseen{m.unseen[e.Conversation].Messages + 1, e.Time}
}

func (m *Mail) deliver(e audit.Entry) (delays []time.Duration) {
	var d struct {
		LastSeq int64 `json:"last_seq"`
	}
	of := inbox{e.Conversation, bridge.SessionID(e.Session)}
	waiting := m.waiting[of]
	if len(waiting) == 0 || json.Unmarshal([]byte(e.Details), &d) != nil {
		return nil
	}
	n := 0
	for n < len(waiting) && waiting[n].seq <= d.LastSeq {
		delays = append(delays, max(e.Time.Sub(waiting[n].at), 0))
		n++
	}
	if m.waiting[of] = waiting[n:]; n == len(waiting) {
		delete(m.waiting, of)
	}
	return delays
}

// sweepEvery is the time between two checks for messages that can no longer be read.
const sweepEvery = time.Hour

// sweep forgets the conversations without messages for as long as a conversation can
// live.
func (m *Mail) sweep(now time.Time) {
	if since := now.Sub(m.swept); 0 <= since && since < sweepEvery {
		return
	}
	m.swept = now
	for of, waiting := range m.waiting {
		if now.Sub(waiting[len(waiting)-1].at) > bridge.MaxTTL {
			delete(m.waiting, of)
		}
	}
	for conversation, u := range m.unseen {
		if now.Sub(u.Last) > bridge.MaxTTL {
			delete(m.unseen, conversation)
		}
	}
}

// Delays describes how long the messages of a period waited until they were
// delivered.
type Delays struct {
	// Count is the number of delivered messages.
	Count int64
	// Half of them waited no longer than Median, and 95 % no longer than P95.
	Median, P95, Longest time.Duration
}

func delaysOf(all []time.Duration) Delays {
	if len(all) == 0 {
		return Delays{}
	}
	slices.Sort(all)
	at := func(percent int) time.Duration { return all[(len(all)*percent+99)/100-1] }
	return Delays{int64(len(all)), at(50), at(95), all[len(all)-1]}
}
