package bridge_test

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/ratelimit"
)

var (
	once   = ratelimit.Limit{PerMinute: 1}
	limits = bridge.Limits{Writes: once, Failures: once}
)

// full returns an account that has used up its limit at a time, with refusals
// that were not logged.
func full(unlogged int64) bridge.Account {
	return bridge.Account{Bucket: ratelimit.Bucket{Minute: 1, At: noon}, Unlogged: unlogged}
}

func TestAdmit(t *testing.T) {
	failures := bridge.Charge{Bucket: "failures/1"}
	g := bridge.Gate{Prove: func(p bridge.Proof) bool { return p.Nonce != nil }, Ends: func(p bridge.Proof) bool { return p.ExpirySeal == nil }, Failures: failures}
	g.Now = noon
	genuine := func(expires time.Time) bridge.Proof { return bridge.Proof{Nonce: []byte("x"), ExpiresAt: expires} }
	if err := g.Admit(genuine(noon.Add(1))); err != nil {
		t.Errorf("got %v for who proves itself", err)
	}
	if err := g.Admit(genuine(noon)); !errors.Is(err, bridge.ErrExpired) || errors.Is(err, bridge.ErrUnauthorized) {
		t.Errorf("got %v in the grace", err)
	}
	if err := g.Admit(genuine(noon.Add(-bridge.Grace))); !errors.Is(err, bridge.ErrUnauthorized) {
		t.Errorf("got %v after the grace", err)
	}
	moved := genuine(noon.Add(1))
	moved.ExpirySeal = []byte("of another time")
	if err := g.Admit(moved); !errors.Is(err, bridge.ErrExpiryMoved) {
		t.Errorf("got %v for an end that was moved", err)
	}
	if err := g.Admit(bridge.Proof{ExpirySeal: moved.ExpirySeal}); !errors.Is(err, bridge.ErrUnauthorized) {
		t.Errorf("got %v for who proves nothing, of an end that was moved", err)
	}
	g.Late = true
	if err := g.Admit(genuine(noon.Add(1 - bridge.Grace))); err != nil {
		t.Errorf("got %v for what only reads, in the grace", err)
	}
	var refusal *bridge.Refusal
	if err := g.Admit(bridge.Proof{}); !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a Refusal", err)
	}
	want := bridge.Refusal{Reason: bridge.ErrUnauthorized, Outcome: bridge.OutcomeUnauthorized, Flood: failures, Unproven: true}
	if diff := cmp.Diff(want, *refusal, cmp.Comparer(errors.Is)); diff != "" {
		t.Error(diff)
	}
}

func TestChargeTake(t *testing.T) {
	charge := bridge.Charge{Bucket: "write/x", What: "sending", Kind: bridge.LimitWrites}
	kept, err := charge.Take(bridge.Account{}, limits, noon)
	if diff := cmp.Diff(full(0), kept); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	kept, err = charge.Take(full(0), limits, noon)
	var refusal *bridge.Refusal
	var limit *bridge.RateLimitError
	if !errors.As(err, &refusal) || !errors.As(err, &limit) {
		t.Fatalf("got %v, want a refusal for the limit", err)
	}
	if diff := cmp.Diff(full(0), kept); diff != "" {
		t.Errorf("a refused call was charged:\n%s", diff)
	}
	got := []any{*limit, refusal.Outcome, refusal.Flood.Bucket, refusal.Flood.Kind, refusal.Unproven}
	want := []any{
		bridge.RateLimitError{What: "sending", Window: "minute", Limit: 1, RetryAfter: time.Minute},
		bridge.OutcomeRateLimited, "refused/write/x", bridge.LimitFailures, false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSettle(t *testing.T) {
	flood := bridge.Charge{Bucket: "failures/1", What: "failing", Kind: bridge.LimitFailures}
	later := noon.Add(time.Minute)
	for _, tt := range []struct {
		name     string
		unproven bool
		account  bridge.Account
		now      time.Time
		kept     bridge.Account
		logged   bool
		details  bridge.Details
		limited  bool // whether the result is the limit
	}{
		{"the first is logged", false, bridge.Account{}, noon, full(0), true, bridge.Details{"role": "x"}, false},
		{"the next is counted", false, full(0), noon, full(1), false, bridge.Details{"role": "x"}, false},
		{"the first after them tells", false, full(3), later, bridge.Account{Bucket: ratelimit.Bucket{Minute: 1, At: later}}, true, bridge.Details{"role": "x", "unlogged_before": int64(3)}, false},
		{"a unproven's word is not logged", true, bridge.Account{}, noon, full(0), true, bridge.Details{}, false},
		{"a flood of strangers is told the limit", true, full(2), noon, full(3), false, bridge.Details{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refusal := bridge.Refusal{Reason: bridge.ErrUnauthorized, Flood: flood, Unproven: tt.unproven}
			details := bridge.Details{"role": "x"}
			kept, logged := refusal.Settle(tt.account, limits, tt.now, details)
			if diff := cmp.Diff([]any{tt.kept, tt.logged, tt.details}, []any{kept, logged, details}); diff != "" {
				t.Error(diff)
			}
			var limit *bridge.RateLimitError
			if limited := errors.As(refusal.Reason, &limit); limited != tt.limited {
				t.Errorf("the answer is %v", refusal.Reason)
			}
		})
	}
}

func TestChargeFor(t *testing.T) {
	g := bridge.Gate{Operation: bridge.Operation{Charges: []bridge.Charge{{Bucket: "write"}}}, Repeat: bridge.Charge{Bucket: "read"}}
	if got := g.ChargeFor(false)[0].Bucket; got != "write" {
		t.Errorf("a new call costs %q", got)
	}
	if got := g.ChargeFor(true)[0].Bucket; got != "read" {
		t.Errorf("a repeated call costs %q", got)
	}
}

func TestCleanupBatch(t *testing.T) {
	with := func(messages ...int64) (all []bridge.Overview) {
		for _, n := range messages {
			all = append(all, bridge.Overview{Sessions: bridge.Roster{{Received: n}}})
		}
		return all
	}
	for _, tt := range []struct {
		name string
		all  []bridge.Overview
		want int
	}{
		{"nothing", nil, 0},
		{"a few", with(1, 2, 3), 3},
		{"many conversations", make([]bridge.Overview, 250), 100},
		{"many messages", with(6_000, 4_000, 1), 2},
		{"one with very many goes as a whole", with(50_000, 1), 1},
	} {
		if got := len(bridge.CleanupBatch(tt.all)); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestIsConversationID holds the function to the pattern that the tools' schemas tell.
func TestIsConversationID(t *testing.T) {
	pattern := regexp.MustCompile(bridge.ConversationPattern)
	for _, id := range []string{
		"conv_0123456789abcdef", "conv_ffffffffffffffff", "conv_0123456789abcde", "conv_0123456789abcdef0",
		"conv_0123456789ABCDEF", "conv_0123456g89abcdef", "conv_", "", "team_0123456789abcdef", " conv_0123456789abcdef",
		"conv_0123456789abcdef\n", "conv_0123456789abcd\x00f", "conv_conv_0123456789abcdef", "conv_é123456789abcde",
	} {
		if got, want := bridge.IsConversationID(id), pattern.MatchString(id); got != want {
			t.Errorf("IsConversationID(%q) = %v, the pattern says %v", id, got, want)
		}
	}
}
