package bridge_test

import (
	"errors"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/ratelimit"
)

// TestClaimsProveThemselves checks that the holder of a claim may end it, and
// that nobody can forge the claim of another session, although its numbers are
// easy to guess.
func TestClaimsProveThemselves(t *testing.T) {
	t.Parallel()
	env := bridgetest.NewEnv(t)
	s := env.Service(t)
	p := bridgetest.NewPair(t, s)
	if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	d, err := s.Check(t.Context(), p.B, bridge.CheckRequest{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign, unsigned, later := d.Claim, d.Claim, d.Claim
	foreign.Session, unsigned.Proof = bridge.SessionA, ""
	later.ID++
	for name, forged := range map[string]bridge.Claim{"of another session": foreign, "without a proof": unsigned, "with another number": later} {
		for _, err := range []error{s.Confirm(t.Context(), forged), s.GiveBack(t.Context(), forged), s.Renew(t.Context(), forged)} {
			if !errors.Is(err, bridge.ErrUnauthorized) {
				t.Errorf("a claim %s: got %v", name, err)
			}
		}
	}
	other := env.Service(t) // as another process with the same store
	if err := other.Confirm(t.Context(), d.Claim); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Check(t.Context(), p.B, bridge.CheckRequest{}, nil); err != nil || len(again.Messages) != 0 {
		t.Errorf("after the confirmation: %d messages, %v", len(again.Messages), err)
	}
}

// TestCallerOfTheContext checks that a service with several callers counts
// limits per caller.
func TestCallerOfTheContext(t *testing.T) {
	t.Parallel()
	s := bridgetest.New(t)
	bridgetest.SetLimits(t, s, bridge.Limits{Creator: ratelimit.Limit{PerMinute: 1}})
	create := func(caller string) error {
		_, err := s.Create(bridge.WithCaller(t.Context(), caller), bridge.CreateRequest{MyRole: "x", PartnerRole: "y"})
		return err
	}
	if err := errors.Join(create("one"), create("two")); err != nil {
		t.Fatal(err)
	}
	var limited *bridge.RateLimitError
	if err := create("one"); !errors.As(err, &limited) {
		t.Errorf("the second of one caller: got %v", err)
	}
}

// TestToldProves checks that a session's files are forgotten only if it proves
// its identity.
func TestToldProves(t *testing.T) {
	t.Parallel()
	s := bridgetest.New(t)
	p := bridgetest.NewPair(t, s)
	stranger := p.A
	stranger.Token = p.B.Token
	if err := s.Told(t.Context(), stranger, bridge.Standing{Shared: bridge.Shared{"": {"a.go"}}}); !errors.Is(err, bridge.ErrUnauthorized) {
		t.Errorf("a stranger: got %v", err)
	}
	if err := s.Told(t.Context(), p.A, bridge.Standing{Shared: bridge.Shared{"": {"a.go"}}}); err != nil {
		t.Errorf("the session itself: got %v", err)
	}
}

func BenchmarkRefusedClaim(b *testing.B) {
	s := bridgetest.New(b)
	claim := bridge.Claim{Conversation: "conv_0123456789abcdef", Session: bridge.SessionB, ID: 1}
	for b.Loop() {
		if err := s.Confirm(b.Context(), claim); err == nil {
			b.Fatal("a claim without a proof was taken")
		}
	}
}
