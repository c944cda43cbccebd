package bridge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

func TestSendValidates(t *testing.T) {
	files := func(n, length int) []string {
		names := make([]string, n)
		for i := range names {
			names[i] = strings.Repeat("é", length)
		}
		return names
	}
	tests := []struct {
		name    string
		request bridge.SendRequest
		field   string // the invalid field; empty if the message is accepted
	}{
		{"longest text", bridge.SendRequest{Text: strings.Repeat("é", bridge.MaxMessageLength)}, ""},
		{"text too long", bridge.SendRequest{Text: strings.Repeat("é", bridge.MaxMessageLength+1)}, "message"},
		{"no text", bridge.SendRequest{}, "message"},
		{"blank text", bridge.SendRequest{Text: " \t\n\u00a0"}, "message"},
		{"unknown action", bridge.SendRequest{Text: "x", Action: "approve"}, "action_type"},
		{"action in capitals", bridge.SendRequest{Text: "x", Action: "Info"}, "action_type"},
		{"most files", bridge.SendRequest{Text: "x", Files: files(bridge.MaxFiles, bridge.MaxFileNameLength)}, ""},
		{"too many files", bridge.SendRequest{Text: "x", Files: files(bridge.MaxFiles+1, 1)}, "files_involved"},
		{"file name too long", bridge.SendRequest{Text: "x", Files: files(1, bridge.MaxFileNameLength+1)}, "files_involved"},
		{"empty file name", bridge.SendRequest{Text: "x", Files: []string{"a", ""}}, "files_involved"},
		{"longest key", bridge.SendRequest{Text: "x", IdempotencyKey: strings.Repeat("é", bridge.MaxIdempotencyKeyLength)}, ""},
		{"key too long", bridge.SendRequest{Text: "x", IdempotencyKey: strings.Repeat("é", bridge.MaxIdempotencyKeyLength+1)}, "idempotency_key"},
	}
	s := bridgetest.New(t)
	p := bridgetest.NewPair(t, s)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.Send(t.Context(), p.A, tt.request)
			wantField(t, err, tt.field)
		})
	}
}

func TestCreateValidates(t *testing.T) {
	role := func(n int) string { return strings.Repeat("é", n) }
	tests := []struct {
		name    string
		request bridge.CreateRequest
		field   string
	}{
		{"shortest", bridge.CreateRequest{MyRole: role(1), PartnerRole: role(1)}, ""},
		{"longest", bridge.CreateRequest{MyRole: role(100), PartnerRole: role(100), Team: role(100), TTL: bridge.MaxTTL}, ""},
		{"my role missing", bridge.CreateRequest{PartnerRole: role(3)}, "my_role"},
		{"my role too long", bridge.CreateRequest{MyRole: role(101), PartnerRole: role(3)}, "my_role"},
		{"partner role missing", bridge.CreateRequest{MyRole: role(3)}, "partner_role"},
		{"team too long", bridge.CreateRequest{MyRole: role(3), PartnerRole: role(3), Team: role(101)}, "team"},
		{"shortest life", bridge.CreateRequest{MyRole: role(3), PartnerRole: role(3), TTL: bridge.MinTTL}, ""},
		{"too short a life", bridge.CreateRequest{MyRole: role(3), PartnerRole: role(3), TTL: bridge.MinTTL - 1}, "ttl_minutes"},
		{"negative life", bridge.CreateRequest{MyRole: role(3), PartnerRole: role(3), TTL: -time.Hour}, "ttl_minutes"},
		{"too long a life", bridge.CreateRequest{MyRole: role(3), PartnerRole: role(3), TTL: bridge.MaxTTL + 1}, "ttl_minutes"},
		{"too many held", bridge.CreateRequest{MyRole: role(3), PartnerRole: role(3), Team: "x", Holds: make([]bridge.Credentials, bridge.MaxTogether+1)}, "token"},
	}
	s := bridgetest.New(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.Create(t.Context(), tt.request)
			wantField(t, err, tt.field)
		})
	}
}

func TestReadingValidates(t *testing.T) {
	s := bridgetest.New(t)
	p := bridgetest.NewPair(t, s)
	check := func(limit int, wait time.Duration) error {
		_, err := s.Check(t.Context(), p.A, bridge.CheckRequest{Limit: limit, Wait: wait}, nil)
		return err
	}
	history := func(before int64, limit int) error {
		_, err := s.History(t.Context(), p.A, before, limit)
		return err
	}
	together := func(n int) error {
		_, err := s.CheckAll(t.Context(), slices.Repeat([]bridge.Credentials{p.A}, n), bridge.CheckRequest{}, nil)
		return err
	}
	tests := []struct {
		name  string
		err   error
		field string
	}{
		{"nobody", together(0), "conversation_id"},
		{"too many at once", together(bridge.MaxTogether + 1), "conversation_id"},
		{"largest page", check(bridge.MaxPage, 0), ""},
		{"page too large", check(bridge.MaxPage+1, 0), "limit"},
		{"negative page", check(-1, 0), "limit"},
		{"wait too long", check(0, bridge.MaxWait+1), "wait_seconds"},
		{"negative wait", check(0, -1), "wait_seconds"},
		{"largest page of history", history(0, bridge.MaxPage), ""},
		{"page of history too large", history(0, bridge.MaxPage+1), "limit"},
		{"negative id", history(-1, 0), "before"},
		{"far id", history(1<<62, 0), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantField(t, tt.err, tt.field) })
	}
	_, err := s.UpdateStatus(t.Context(), p.A, "asleep")
	wantField(t, err, "status")
}

func wantField(t *testing.T, err error, field string) {
	t.Helper()
	var bad *bridge.InvalidError
	switch {
	case field == "" && err != nil:
		t.Errorf("refused: %v", err)
	case field != "" && (!errors.As(err, &bad) || bad.Field != field):
		t.Errorf("got %v, want %s refused", err, field)
	case len(errorText(err)) > 200:
		t.Errorf("the refusal is long: %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCreateAnswers(t *testing.T) {
	e := bridgetest.NewEnv(t)
	s := e.Service(t)
	c, err := s.Create(t.Context(), bridge.CreateRequest{MyRole: "backend", PartnerRole: "frontend", Team: "blue", TTL: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	now := e.Clock.Now()
	want := bridge.Conversation{
		ID: c.ID, Team: "blue", TeamID: "team_" + c.ID[len("conv_"):], CreatedAt: now, ExpiresAt: now.Add(5 * time.Minute),
	}
	if diff := cmp.Diff(want, c.Conversation); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !c.JoinExpiresAt.Equal(c.ExpiresAt) {
		t.Errorf("the join code outlives its conversation: %v", c.JoinExpiresAt)
	}
	if len(c.TokenA) != 64 || len(c.TokenB) != 64 || c.TokenA == c.TokenB || len(c.ID) != len("conv_")+16 {
		t.Errorf("odd answer: id %q, tokens of %d and %d characters", c.ID, len(c.TokenA), len(c.TokenB))
	}
}

func TestClaimStands(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		left time.Duration
		want bool
	}{
		{"just made", bridge.ClaimFor, true},
		{"about to end", 1, true},
		{"ended", 0, false},
		{"ended long ago", -time.Hour, false},
		{"made before the clock was set back", time.Hour, false},
	} {
		if got := bridge.ClaimStands(now.Add(tt.left), now); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	if bridge.ClaimStands(time.Time{}, now) {
		t.Error("no claim stands")
	}
}

// slowStore makes every read of an inbox last until the caller's context times
// out.
type slowStore struct{ bridge.Store }

func (s slowStore) PeekInbox(ctx context.Context, conversation string, session bridge.SessionID) (bridge.SessionView, error) {
	<-ctx.Done()
	return bridge.SessionView{}, ctx.Err()
}

func TestWaitThatEndsDuringACheck(t *testing.T) {
	s := bridgetest.New(t, func(c *bridge.Config) { c.Store = slowStore{c.Store} })
	p := bridgetest.NewPair(t, s)
	d, err := s.Check(t.Context(), p.A, bridge.CheckRequest{Wait: time.Millisecond}, nil)
	if err != nil || len(d.Messages) != 0 {
		t.Errorf("got %+v, %v, want nothing", d, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Check(ctx, p.A, bridge.CheckRequest{Wait: bridge.MaxWait}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
}

// brokenStore fails to read inboxes.
type brokenStore struct{ bridge.Store }

func (brokenStore) PeekInbox(context.Context, string, bridge.SessionID) (bridge.SessionView, error) {
	return bridge.SessionView{}, bridge.ErrStoreDamaged
}

func TestWaitOnABrokenStore(t *testing.T) {
	s := bridgetest.New(t, func(c *bridge.Config) { c.Store = brokenStore{c.Store} })
	p := bridgetest.NewPair(t, s)
	_, err := s.Check(t.Context(), p.A, bridge.CheckRequest{Wait: bridge.MaxWait}, nil)
	if !errors.Is(err, bridge.ErrStoreDamaged) {
		t.Errorf("got %v, want the store's error", err)
	}
}

// TestConfirmWakesWhoWaitsBehind checks that a waiter that is blocked by
// another process's claim gets the next messages when that claim ends.
func TestConfirmWakesWhoWaitsBehind(t *testing.T) {
	e := bridgetest.NewEnv(t)
	one, other := e.Service(t), e.Service(t)
	p := bridgetest.NewPair(t, one)
	for range 2 {
		if _, err := one.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	first, err := one.Check(t.Context(), p.B, bridge.CheckRequest{Limit: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan bridge.Delivery)
	go func() {
		d, err := other.Check(context.Background(), p.B, bridge.CheckRequest{Wait: bridge.MaxWait}, nil)
		if err != nil {
			t.Error(err)
		}
		second <- d
	}()
	if err := one.Confirm(t.Context(), first.Claim); err != nil {
		t.Fatal(err)
	}
	if d := <-second; len(d.Messages) != 1 || d.Messages[0].Seq != 2 || d.Messages[0].Redelivered {
		t.Errorf("got %+v", d.Messages)
	}
}

// busyStore takes long to hand out messages.
type busyStore struct {
	bridge.Store
	clock *bridgetest.Clock
}

func (s busyStore) TakeUnread(ctx context.Context, g bridge.Gate, t bridge.Take) (bridge.Taken, error) {
	s.clock.Advance(bridge.ClaimFor - time.Second)
	return s.Store.TakeUnread(ctx, g, t)
}

func TestClaimGivenLateLastsAsLong(t *testing.T) {
	e := bridgetest.NewEnv(t)
	one := e.Service(t, func(c *bridge.Config) { c.Store = busyStore{c.Store, e.Clock} })
	other := e.Service(t)
	p := bridgetest.NewPair(t, one)
	if _, err := one.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if d, err := one.Check(t.Context(), p.B, bridge.CheckRequest{}, nil); err != nil || len(d.Messages) != 1 {
		t.Fatalf("got %+v, %v", d, err)
	}
	e.Clock.Advance(bridge.ClaimFor - time.Second)
	drain := make(chan struct{})
	close(drain) // a caller that finds the mail claimed does not wait
	if d, err := other.Check(t.Context(), p.B, bridge.CheckRequest{}, drain); err != nil || len(d.Messages) != 0 {
		t.Errorf("got %d messages that are on their way to another, %v", len(d.Messages), err)
	}
}
