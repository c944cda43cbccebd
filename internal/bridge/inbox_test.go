package bridge_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestInboxCounts(t *testing.T) {
	soon, past := noon.Add(time.Second), noon.Add(-time.Second)
	for _, tt := range []struct {
		name            string
		inbox           bridge.Inbox
		unread, waiting int64
		busy, ready     bool
	}{
		{"empty", bridge.Inbox{}, 0, 0, false, false},
		{"all read", bridge.Inbox{LastSeq: 3, ReadSeq: 3, HandedSeq: 3, ClaimID: 1, ClaimSeq: 3}, 0, 0, false, false},
		{"new mail", bridge.Inbox{LastSeq: 3, ReadSeq: 1, HandedSeq: 1}, 2, 2, false, true},
		{"a part is on its way", bridge.Inbox{LastSeq: 3, HandedSeq: 2, ClaimID: 1, ClaimSeq: 2, ClaimUntil: soon}, 3, 1, true, false},
		{"all is on its way", bridge.Inbox{LastSeq: 2, HandedSeq: 2, ClaimID: 1, ClaimSeq: 2, ClaimUntil: soon}, 2, 0, true, false},
		{"a claim that has run out", bridge.Inbox{LastSeq: 2, HandedSeq: 2, ClaimID: 1, ClaimSeq: 2, ClaimUntil: past}, 2, 2, false, true},
		{"a claim from before the clock was set back", bridge.Inbox{LastSeq: 2, HandedSeq: 2, ClaimID: 1, ClaimSeq: 2, ClaimUntil: noon.Add(time.Hour)}, 2, 2, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := tt.inbox
			if i.Unread() != tt.unread || i.Waiting(noon) != tt.waiting || i.Busy(noon) != tt.busy || i.Ready(noon) != tt.ready {
				t.Errorf("got unread %d, waiting %d, busy %v, ready %v", i.Unread(), i.Waiting(noon), i.Busy(noon), i.Ready(noon))
			}
		})
	}
}

func TestHand(t *testing.T) {
	until := noon.Add(bridge.ClaimFor)
	numbers := func(all ...int64) (messages []bridge.Message) {
		for _, seq := range all {
			messages = append(messages, bridge.Message{Seq: seq})
		}
		return messages
	}
	for _, tt := range []struct {
		name     string
		inbox    bridge.Inbox
		messages []bridge.Message
		want     bridge.Inbox
		details  bridge.Details
		again    []bool
	}{
		{
			"for the first time",
			bridge.Inbox{LastSeq: 3, ReadSeq: 1, HandedSeq: 1, ClaimID: 4, ClaimSeq: 1},
			numbers(2, 3),
			bridge.Inbox{LastSeq: 3, ReadSeq: 1, HandedSeq: 3, ClaimID: 5, ClaimSeq: 3, ClaimUntil: until},
			bridge.Details{"first_seq": int64(2), "last_seq": int64(3)},
			[]bool{false, false},
		},
		{
			"the first again",
			bridge.Inbox{LastSeq: 3, HandedSeq: 1, ClaimID: 1, ClaimSeq: 1},
			numbers(1, 2, 3),
			bridge.Inbox{LastSeq: 3, HandedSeq: 3, ClaimID: 2, ClaimSeq: 3, ClaimUntil: until},
			bridge.Details{"first_seq": int64(1), "last_seq": int64(3), "redelivered": 1},
			[]bool{true, false, false},
		},
		{
			"fewer than before",
			bridge.Inbox{LastSeq: 3, HandedSeq: 3, ClaimID: 1, ClaimSeq: 3},
			numbers(1),
			bridge.Inbox{LastSeq: 3, HandedSeq: 3, ClaimID: 2, ClaimSeq: 1, ClaimUntil: until},
			bridge.Details{"first_seq": int64(1), "last_seq": int64(1), "redelivered": 1},
			[]bool{true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := bridge.Gate{Operation: bridge.Operation{Now: noon, Details: bridge.Details{}, Conversation: "conv_1"}, Session: "b"}
			taken, got := bridge.Take{ClaimUntil: until}.Hand(g, tt.inbox, bridge.Standing{Unread: 9}, tt.messages, true)
			tt.details["messages"] = len(tt.messages)
			claim := bridge.Claim{Conversation: "conv_1", Session: "b", ID: tt.want.ClaimID}
			if taken.Claim != claim || !taken.HasMore || taken.Unread != tt.inbox.Unread()-int64(len(tt.messages)) || taken.Standing.Unread != got.Waiting(noon) {
				t.Errorf("got %+v", taken)
			}
			var again []bool
			for _, m := range tt.messages {
				again = append(again, m.Redelivered)
			}
			if diff := cmp.Diff([]any{tt.want, tt.details, tt.again}, []any{got, g.Details, again}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestClaimRules(t *testing.T) {
	standing := bridge.Inbox{LastSeq: 5, ReadSeq: 1, HandedSeq: 3, ClaimID: 7, ClaimSeq: 3, ClaimUntil: noon}
	released, read := standing, standing
	released.ClaimUntil = time.Time{}
	read.ClaimUntil, read.ReadSeq = time.Time{}, 3
	for _, tt := range []struct {
		name  string
		rule  bridge.ClaimRule
		inbox bridge.Inbox
		id    int64
		want  bridge.Inbox
		ok    bool
	}{
		{"confirm", bridge.ConfirmClaim, standing, 7, read, true},
		{"confirm twice", bridge.ConfirmClaim, read, 7, read, false},
		{"confirm what was given back", bridge.ConfirmClaim, released, 7, read, true},
		{"confirm after another", bridge.ConfirmClaim, standing, 6, standing, false},
		{"give back", bridge.ReleaseClaim, standing, 7, released, true},
		{"give back twice", bridge.ReleaseClaim, released, 7, released, false},
		{"give back what was read", bridge.ReleaseClaim, read, 7, read, false},
		{"give back after another", bridge.ReleaseClaim, standing, 6, standing, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := tt.rule(tt.inbox, tt.id)
			if diff := cmp.Diff(tt.want, got); ok != tt.ok || diff != "" {
				t.Errorf("ok %v, want %v\n%s", ok, tt.ok, diff)
			}
		})
	}
}

// TestReleaseOfWhatIsRead checks that a claim is released only if one of its messages
// is unread.
func TestReleaseOfWhatIsRead(t *testing.T) {
	for read, want := range map[int64]bool{2: true, 3: false, 4: false} {
		i := bridge.Inbox{LastSeq: 5, ReadSeq: read, HandedSeq: 3, ClaimID: 7, ClaimSeq: 3, ClaimUntil: noon}
		if _, changed := bridge.ReleaseClaim(i, 7); changed != want {
			t.Errorf("with %d of 3 read: %v, want %v", read, changed, want)
		}
	}
}

// TestHandNothing checks that nothing is claimed if nothing is unread.
func TestHandNothing(t *testing.T) {
	g := bridge.Gate{Operation: bridge.Operation{Now: noon, Details: bridge.Details{}}}
	inbox := bridge.Inbox{LastSeq: 2, ReadSeq: 2, ClaimID: 3}
	taken, kept := bridge.Take{ClaimUntil: noon.Add(bridge.ClaimFor)}.Hand(g, inbox, bridge.Standing{Now: noon}, nil, false)
	want := bridge.Taken{Delivery: bridge.Delivery{Standing: bridge.Standing{Now: noon}}}
	if diff := cmp.Diff([]any{want, inbox, bridge.Details{"messages": 0}}, []any{taken, kept, g.Details}); diff != "" {
		t.Error(diff)
	}
}

// TestTakeWhileBusy checks that a take that finds the messages held by another answer
// reports how many there are.
func TestTakeWhileBusy(t *testing.T) {
	g := bridge.Gate{Operation: bridge.Operation{Now: noon}}
	free := bridge.Inbox{LastSeq: 3, ReadSeq: 1}
	if taken, busy := (bridge.Take{}).Busy(g, free); busy || taken.Busy {
		t.Error("a free inbox is busy")
	}
	held := free
	held.ClaimID, held.ClaimSeq, held.ClaimUntil = 1, 2, noon.Add(time.Second)
	taken, busy := bridge.Take{}.Busy(g, held)
	want := bridge.Taken{Busy: true, Delivery: bridge.Delivery{HasMore: true, Unread: 2}}
	if diff := cmp.Diff(want, taken); diff != "" || !busy {
		t.Errorf("busy: %v; %s", busy, diff)
	}
}

func TestReceipts(t *testing.T) {
	got := bridge.Receipts([]bridge.ReadMessage{{1, "c"}, {2, "a"}, {3, bridge.System}, {5, "a"}, {4, "a"}, {6, bridge.Operator}})
	want := []bridge.Receipt{{Sender: "a", ID: 5, Count: 3}, {Sender: "c", ID: 1, Count: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := bridge.Receipts([]bridge.ReadMessage{{1, bridge.System}}); len(got) != 0 {
		t.Errorf("the bridge gets a receipt: %v", got)
	}
}
