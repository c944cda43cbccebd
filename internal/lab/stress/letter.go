package stress

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
)

// letter is a message being sent, and where it is recorded.
type letter struct {
	text string
	from bridge.SessionID
	// all is set if the message is for all others, without naming them.
	all bool
	to  []*session
	// at are the places of the message in the inboxes of its recipients.
	at []int
}

// named is the number of recipients of a message in a room that is not for all.
const named = 3

// write generates message n, and records the attempt. In a conversation of more than two
// sessions every fourth message is for some of them, and the others are for all.
func (s *session) write(n int, begin time.Time) letter {
	m := letter{text: s.texts.message(n), from: s.Session, to: s.partners, all: true}
	if len(s.partners) > named && n/s.Settings.sessions()%4 == 3 {
		m.all, m.to = false, nil
		for _, i := range s.texts.random.Perm(len(s.partners))[:named] {
			m.to = append(m.to, s.partners[i])
		}
	}
	s.note(func(*ledger) {
		for _, to := range m.to {
			m.at = append(m.at, len(to.inbox.Sent))
			to.inbox.Sent = append(to.inbox.Sent, Sent{Text: m.text, From: string(s.Session), Begin: begin})
		}
	})
	return m
}

// arguments returns the arguments of send_to_partner.
func (m letter) arguments(key string) map[string]any {
	args := map[string]any{"message": m.text, "idempotency_key": key}
	switch {
	case !m.all:
		args["to"] = m.names()
	case len(m.to) > 1:
		args["to"] = []string{"all"}
	}
	return args
}

func (m letter) names() (names []string) {
	for _, to := range m.to {
		names = append(names, string(to.Session))
	}
	slices.Sort(names)
	return names
}

// sentAnswer is the answer of send_to_partner.
type sentAnswer struct {
	Seq        int64 `json:"seq"`
	Repeated   bool  `json:"repeated"`
	Recipients []struct {
		Session string `json:"session_id"`
		Seq     int64  `json:"seq"`
	} `json:"recipients"`
}

// numbers returns the message's number for each recipient. In a conversation of two, the
// answer does not name the recipient.
func (a sentAnswer) numbers(m letter) map[string]int64 {
	numbers := map[string]int64{}
	for _, r := range a.Recipients {
		numbers[r.Session] = r.Seq
	}
	if len(a.Recipients) == 0 && len(m.to) == 1 {
		numbers[string(m.to[0].Session)] = a.Seq
	}
	return numbers
}

// acknowledge records the numbers that an answer gave a message. The answer must name
// exactly the recipients. Call it within note.
func (l *ledger) acknowledge(m letter, a sentAnswer, begin time.Time) {
	numbers := a.numbers(m)
	for i, to := range m.to {
		sent := &to.inbox.Sent[m.at[i]]
		sent.Begin = begin
		if sent.Seq = numbers[string(to.Session)]; sent.Seq == 0 {
			l.found = append(l.found, Violation{RuleLost, fmt.Sprintf(
				"%s: the answer to a message from %s does not name this recipient", to.inbox.Name, m.from)})
		}
		delete(numbers, string(to.Session))
	}
	for other := range numbers {
		l.found = append(l.found, Violation{RuleForeign, fmt.Sprintf(
			"the answer to a message from %s to %s also names %s", m.from, strings.Join(m.names(), ","), other)})
	}
}
