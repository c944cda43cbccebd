package bridge_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/ratelimit"
)

// TestDraftAdmit checks the order of the rules: a repeated key first, then the
// recipients, then the message that is answered. Each recipient costs a write.
func TestDraftAdmit(t *testing.T) {
	invalid := bridge.Invalid("to", "names nobody")
	toNobody := func(bridge.Roster) (bridge.Recipients, error) { return nil, invalid }
	toAll := func(r bridge.Roster) (bridge.Recipients, error) { return r.IDs()[1:], nil }
	repeat, write := bridge.Charge{Bucket: "reads/a", Kind: bridge.LimitReads}, bridge.Charge{Bucket: "writes/a", Kind: bridge.LimitWrites}
	three := bridge.Roster{{Session: "a"}, {Session: "b"}, {Session: "c"}}
	twice := write
	twice.Times, twice.Instead = 2, &repeat
	for _, tt := range []struct {
		name    string
		draft   bridge.Draft
		scene   bridge.SendScene
		to      bridge.Recipients
		charges []bridge.Charge
		refused string
	}{
		{"to all", bridge.Draft{To: toAll}, bridge.SendScene{Roster: three}, bridge.Recipients{"b", "c"}, []bridge.Charge{twice}, ""},
		{"an answer", bridge.Draft{To: toAll, ReplyTo: 7}, bridge.SendScene{Roster: three, Answers: true}, bridge.Recipients{"b", "c"}, []bridge.Charge{twice}, ""},
		{"repeated", bridge.Draft{To: toNobody, ReplyTo: 7}, bridge.SendScene{Repeated: true}, nil, []bridge.Charge{repeat}, ""},
		{"to nobody", bridge.Draft{To: toNobody, ReplyTo: 7}, bridge.SendScene{Roster: three}, nil, nil, "to"},
		{"an answer to a foreign message", bridge.Draft{To: toAll, ReplyTo: 7}, bridge.SendScene{Roster: three}, nil, nil, "reply_to"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := bridge.Gate{Operation: bridge.Operation{Details: bridge.Details{}, Charges: []bridge.Charge{write}}, Repeat: repeat}
			to, charges, err := tt.draft.Admit(g, tt.scene)
			if diff := cmp.Diff([]any{tt.to, tt.charges}, []any{to, charges}); diff != "" {
				t.Error(diff)
			}
			var refusal *bridge.Refusal
			var argument *bridge.InvalidError
			switch {
			case tt.refused == "" && err != nil:
				t.Error(err)
			case tt.refused != "" && (!errors.As(err, &refusal) || !errors.As(refusal.Reason, &argument) || argument.Field != tt.refused || refusal.Cost != repeat):
				t.Errorf("got %v, want a refusal of %s that costs a read", err, tt.refused)
			}
		})
	}
}

// TestSentAnswer checks that in a conversation of more than two the log records
// the recipients.
func TestSentAnswer(t *testing.T) {
	sent := bridge.Sent{ID: 9, Seq: 4, Partner: bridge.SessionState{Session: "b"}}
	toTwo := []bridge.Recipient{{SessionState: bridge.SessionState{Session: "c"}, Seq: 7}}
	standing := bridge.Standing{Unread: 3}
	for _, tt := range []struct {
		name           string
		many, repeated bool
		further        []bridge.Recipient
		want           bridge.Details
	}{
		{"of two", false, false, nil, bridge.Details{"message_id": int64(9), "seq": int64(4)}},
		{"of many", true, false, nil, bridge.Details{"message_id": int64(9), "seq": int64(4), "to": bridge.Recipients{"b"}}},
		{"to several, by the number in each inbox", true, false, toTwo, bridge.Details{
			"message_id": int64(9), "seq": int64(4), "to": bridge.Recipients{"b", "c"}, "seqs": []int64{4, 7},
		}},
		{"repeated", false, true, nil, bridge.Details{"message_id": int64(9), "seq": int64(4), "repeated": true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := bridge.Gate{Operation: bridge.Operation{Now: noon, Details: bridge.Details{}}}
			sent := sent
			sent.Repeated, sent.Further = tt.repeated, tt.further
			got := sent.Answer(g, tt.many, standing)
			if got.Unread != 3 || got.Many != tt.many || !got.Now.Equal(noon) || got.Standing.Unread != 3 {
				t.Errorf("got %+v", got)
			}
			if diff := cmp.Diff(tt.want, g.Details); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTakeAll checks that nothing is charged if one account is over its limit.
func TestTakeAll(t *testing.T) {
	charges := []bridge.Charge{{Bucket: "a", Kind: bridge.LimitWrites}, {Bucket: "b", Kind: bridge.LimitWrites}}
	kept, err := bridge.TakeAll(charges, []bridge.Account{{}, {}}, limits, noon)
	want := bridge.Account{Bucket: ratelimit.Bucket{Minute: 1, Hour: 1, Day: 1, At: noon}}
	if err != nil || len(kept) != 2 || kept[0].Minute != want.Minute || kept[1].Minute != want.Minute {
		t.Errorf("got %+v, %v", kept, err)
	}
	var refusal *bridge.Refusal
	if kept, err := bridge.TakeAll(charges, []bridge.Account{{}, full(0)}, limits, noon); !errors.As(err, &refusal) || kept != nil {
		t.Errorf("got %+v, %v where the second account is empty", kept, err)
	}
}
