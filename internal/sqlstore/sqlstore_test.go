// Package sqlstore_test tests what needs no database. The statements are tested by
// package storetest, on each store.
package sqlstore_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/ratelimit"
	"example.org/bridge/internal/sqlstore"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestLists(t *testing.T) {
	for _, items := range [][]string{nil, {"a"}, {`with "quotes"`, "", "\n"}} {
		if got := sqlstore.FromList(sqlstore.List(items)); !slices.Equal(got, items) {
			t.Errorf("%q came back as %q", items, got)
		}
	}
	if got := sqlstore.FromList("[damaged"); !slices.Equal(got, []string{"[damaged"}) {
		t.Errorf("a damaged list came back as %q", got)
	}
	if got := sqlstore.FromLetters("cab"); got.String() != "a,b,c" {
		t.Errorf("letters came back as %s", got)
	}
}

func TestTimes(t *testing.T) {
	for _, at := range []time.Time{{}, noon, noon.Add(time.Microsecond)} {
		if got := sqlstore.FromMicros(sqlstore.Micros(at)); !got.Equal(at) {
			t.Errorf("%v came back as %v", at, got)
		}
	}
}

// accounts implements sqlstore.Accounts in memory.
type accounts struct {
	kept  map[string]bridge.Account
	asked []string // the conversations whose limits were requested
	full  error    // the store is full
}

func (a *accounts) LimitsOf(conversation string) (bridge.Limits, error) {
	a.asked = append(a.asked, conversation)
	once := ratelimit.Limit{PerMinute: 1}
	return bridge.Limits{Writes: once, Reads: once, Failures: once}, nil
}

func (a *accounts) Account(bucket string) (bridge.Account, error) { return a.kept[bucket], nil }

func (a *accounts) KeepAccount(bucket string, kept bridge.Account) error {
	a.kept[bucket] = kept
	return nil
}

func (a *accounts) AdmitMore(bridge.Usage) error { return a.full }

func TestCharge(t *testing.T) {
	write, read := bridge.Charge{Bucket: "w", Kind: bridge.LimitWrites}, bridge.Charge{Bucket: "r", Kind: bridge.LimitReads}
	a := &accounts{kept: map[string]bridge.Account{}}
	if err := sqlstore.Charge(a, []bridge.Charge{write, read}, "conv_1", noon); err != nil || len(a.kept) != 2 {
		t.Fatalf("got %v, and accounts %v", err, a.kept)
	}
	before := a.kept["r"]
	var refusal *bridge.Refusal
	other := bridge.Charge{Bucket: "other", Kind: bridge.LimitReads}
	if err := sqlstore.Charge(a, []bridge.Charge{other, write}, "conv_1", noon); !errors.As(err, &refusal) || len(a.kept) != 2 || a.kept["r"] != before {
		t.Errorf("got %v, and accounts %v, where one of two has nothing left", err, a.kept)
	}
	a.full = errors.New("full")
	if err := sqlstore.Charge(a, []bridge.Charge{{Bucket: "new", Kind: bridge.LimitWrites}}, "", noon); !errors.Is(err, a.full) || len(a.kept) != 2 {
		t.Errorf("got %v, and accounts %v, where there is no room", err, a.kept)
	}
	if err := sqlstore.Charge(a, []bridge.Charge{other}, "", noon); err != nil {
		t.Errorf("got %v for reading where there is no room", err)
	}
}

// TestRefuse checks that refusals beyond their limit are counted and not logged, and
// that a cost that exceeds its limit replaces the refusal.
func TestRefuse(t *testing.T) {
	a := &accounts{kept: map[string]bridge.Account{}}
	op := bridge.Operation{Now: noon, Conversation: "conv_1", Details: bridge.Details{}}
	flood := bridge.Charge{Bucket: "refused/r", Kind: bridge.LimitFailures}
	refusal := func() *bridge.Refusal {
		return &bridge.Refusal{
			Reason: bridge.ErrExpired, Outcome: bridge.OutcomeRefused, Flood: flood,
			Cost: bridge.Charge{Bucket: "r", Kind: bridge.LimitReads, What: "reads"},
		}
	}
	first, second := refusal(), refusal()
	if logged, err := sqlstore.Refuse(a, first, op, noon); err != nil || !logged || !errors.Is(first.Reason, bridge.ErrExpired) {
		t.Errorf("the first: %v, %v, %v", logged, err, first.Reason)
	}
	_, err := sqlstore.Refuse(a, second, op, noon)
	var over *bridge.RateLimitError
	if err != nil || !errors.As(second.Reason, &over) || second.Outcome != bridge.OutcomeRateLimited {
		t.Errorf("the second: %v, %+v", err, second)
	}
	free := &bridge.Refusal{Reason: bridge.ErrExpired, Outcome: bridge.OutcomeRefused, Flood: flood}
	if logged, err := sqlstore.Refuse(a, free, op, noon); err != nil || logged {
		t.Errorf("a refusal beyond the limit is logged: %v, %v", logged, err)
	}
	// The second refusal counts as well, since it was charged to the same account.
	if a.kept[flood.Bucket].Unlogged != 2 {
		t.Errorf("the account of refusals is %+v", a.kept[flood.Bucket])
	}
	if diff := cmp.Diff([]string{"conv_1", "", "conv_1", "", ""}, a.asked); diff != "" {
		t.Error(diff)
	}
}
