//go:build unix

package sqlite_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// event is a line printed by a child of the crash test: a message acknowledged to its
// sender, or one delivered to a receiver.
type event struct {
	kind  string // "ack" or "got"
	inbox string // CONVERSATION/RECIPIENT
	seq   int64
	text  string // SENDER/NUMBER
	claim int64
	again bool
}

func parseEvent(line string) (e event, err error) {
	if strings.HasPrefix(line, "ack ") {
		_, err = fmt.Sscan(line, &e.kind, &e.inbox, &e.seq, &e.text)
		return e, err
	}
	_, err = fmt.Sscan(line, &e.kind, &e.inbox, &e.seq, &e.text, &e.claim, &e.again)
	return e, err
}

// faults returns the faults of a history at whose end every stored message must have
// been delivered.
func faults(history []event) (all []string) {
	byInbox := map[string][]event{}
	for _, e := range history {
		byInbox[e.inbox] = append(byInbox[e.inbox], e)
	}
	for name, events := range byInbox {
		c := checker{texts: map[int64]string{}, numbers: map[string]int64{}}
		c.run(events)
		for _, fault := range c.faults {
			all = append(all, name+": "+fault)
		}
	}
	slices.Sort(all)
	return all
}

// checker checks one direction of a conversation.
type checker struct {
	texts   map[int64]string // by number
	numbers map[string]int64 // by text
	last    int64            // the highest number delivered so far
	faults  []string
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func (c *checker) run(events []event) {
	var acks, gots []event
	for _, e := range events {
		c.same(e)
		if e.kind == "ack" {
			acks = append(acks, e)
		} else {
			gots = append(gots, e)
		}
	}
	// Claims are numbered in the order in which they were made.
	slices.SortStableFunc(gots, func(a, b event) int { return cmp.Compare(a.claim, b.claim) })
	for _, e := range gots {
		c.deliver(e)
	}
	for _, e := range acks {
		if e.seq > c.last {
			c.fault("%d lost", e.seq)
		}
	}
	c.senders()
}

// same checks that each number always has the same text, and each text the same number.
func (c *checker) same(e event) {
	if text, known := c.texts[e.seq]; known && text != e.text {
		c.fault("%d has two texts", e.seq)
	}
	if seq, known := c.numbers[e.text]; known && seq != e.seq {
		c.fault("%s has two numbers", e.text)
	}
	c.texts[e.seq], c.numbers[e.text] = e.text, e.seq
}

func (c *checker) deliver(e event) {
	switch {
	case e.seq <= c.last && !e.again:
		c.fault("%d delivered twice, unmarked", e.seq)
	case e.seq > c.last+1:
		c.fault("%d delivered before %d", e.seq, c.last+1)
	}
	c.last = max(c.last, e.seq)
}

// senders checks that the messages of each process are numbered in the order in which
// it sent them.
func (c *checker) senders() {
	lastOf := map[string]int{}
	for seq := int64(1); seq <= c.last; seq++ {
		sender, digits, _ := strings.Cut(c.texts[seq], "/")
		n, err := strconv.Atoi(digits)
		if err != nil {
			c.fault("%d has no text", seq)
			continue
		}
		if last, known := lastOf[sender]; known && n <= last {
			c.fault("%d out of its sender's order", seq)
		}
		lastOf[sender] = n
	}
}

// TestFaults shows that the checks of the crash test can fail.
func TestFaults(t *testing.T) {
	t.Parallel()
	ack := func(seq int64, text string) event { return event{kind: "ack", seq: seq, text: text} }
	got := func(seq int64, text string, claim int64, again bool) event {
		return event{kind: "got", seq: seq, text: text, claim: claim, again: again}
	}
	tests := []struct {
		name    string
		history []event
		want    []string
	}{
		{"nothing wrong", []event{
			ack(1, "p/0"), ack(2, "p/1"), ack(3, "q/0"),
			got(3, "q/0", 3, false), got(1, "p/0", 1, false), got(2, "p/1", 2, true), // in the order in which the pipes were read
		}, nil},
		{"redelivered, marked", []event{ack(1, "p/0"), got(1, "p/0", 1, false), got(1, "p/0", 2, true)}, nil},
		{"stored without being acknowledged", []event{got(1, "p/0", 1, false)}, nil},
		{"lost", []event{ack(1, "p/0"), ack(2, "p/1"), got(1, "p/0", 1, false)}, []string{": 2 lost"}},
		{
			"lost in between",
			[]event{ack(1, "p/0"), ack(2, "p/1"), got(2, "p/1", 1, false)},
			[]string{": 1 has no text", ": 2 delivered before 1"}[1:],
		},
		{"duplicated", []event{ack(1, "p/0"), got(1, "p/0", 1, false), got(1, "p/0", 2, false)}, []string{": 1 delivered twice, unmarked"}},
		{
			"stored twice",
			[]event{ack(1, "p/0"), got(1, "p/0", 1, false), got(2, "p/0", 1, false)},
			[]string{": 2 out of its sender's order", ": p/0 has two numbers"},
		},
		{
			"reordered",
			[]event{ack(1, "p/0"), ack(2, "p/1"), got(2, "p/1", 1, false), got(1, "p/0", 2, false)},
			[]string{": 1 delivered twice, unmarked", ": 2 delivered before 1"},
		},
		{
			"numbered out of order",
			[]event{ack(1, "p/1"), ack(2, "p/0"), got(1, "p/1", 1, false), got(2, "p/0", 1, false)},
			[]string{": 2 out of its sender's order"},
		},
		{"changed", []event{ack(1, "p/0"), got(1, "p/9", 1, false)}, []string{": 1 has two texts"}},
		{"one number given twice", []event{ack(1, "p/0"), ack(1, "q/0"), got(1, "q/0", 1, false)}, []string{": 1 has two texts"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := faults(tt.history); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
