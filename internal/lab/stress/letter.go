package stress

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/bridge/internal/bridge"
)

// letter is a message on its way, and where it is noted.
type letter struct {
	text string
	from bridge.SessionID
	// all reports that it is for everybody, whom the sender does not name.
	all bool
	to  []*session
	// at are the places of the message in the inboxes of those whom it is for.
	at []int
}

// named is how many sessions of a room a message is for that is not for all.
const named = 3

// write makes message n, and notes that it is tried. In a conversation of more than two
// each fourth one is for some of them, and the others are for all.
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

// arguments are those of send_to_partner.
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

// sentAnswer is what send_to_partner answers.
type sentAnswer struct {
	Seq        int64 `json:"seq"`
	Repeated   bool  `json:"repeated"`
	Recipients []struct {
		Session string `json:"session_id"`
		Seq     int64  `json:"seq"`
	} `json:"recipients"`
}

// numbers returns what number the message has with each recipient. Between two sessions
// the answer does not name the only one there is.
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

// acknowledge notes the numbers that an answer gave a message. An answer must name those
// whom the message is for, and nobody else. Call it within note.
func (l *ledger) acknowledge(m letter, a sentAnswer, begin time.Time) {
	numbers := a.numbers(m)
	for i, to := range m.to {
		sent := &to.inbox.Sent[m.at[i]]
		sent.Begin = begin
		if sent.Seq = numbers[string(to.Session)]; sent.Seq == 0 {
			l.found = append(l.found, Violation{RuleLost, fmt.Sprintf(
				"%s: a message from %s was answered without this recipient, which it was for", to.inbox.Name, m.from)})
		}
		delete(numbers, string(to.Session))
	}
	for other := range numbers {
		l.found = append(l.found, Violation{RuleForeign, fmt.Sprintf(
			"a message from %s to %s was answered as one to %s too", m.from, strings.Join(m.names(), ","), other)})
	}
}
