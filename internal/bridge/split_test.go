package bridge_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// The two halves of a secret. Neither is a secret by itself.
var (
	half  = "here it begins ghp_" + strings.Repeat("Ab3", 6)
	other = strings.Repeat("Cd4", 6)
)

// TestSecretsSplitOverTwoMessages checks that a secret is recognised when the second
// message completes what the first begins, even if another process of the same session
// sends it.
func TestSecretsSplitOverTwoMessages(t *testing.T) {
	e := bridgetest.NewEnv(t)
	one, another := e.Service(t), e.Service(t)
	p := bridgetest.NewPair(t, one)
	if err := errors.Join(send(t, one, p.A, half), send(t, another, p.A, other)); err != nil {
		t.Fatal(err)
	}
	texts := textsFor(t, one, p.B)
	if texts[0] != half {
		t.Fatalf("the first message alone says %q: nothing was tried", texts[0])
	}
	if strings.Contains(texts[1], other) {
		t.Errorf("the second message says %q", texts[1])
	}
}

// TestSecretsSplitOverTwoProcesses sends both halves at the same time. Whichever is
// stored second must be redacted with regard to the first.
func TestSecretsSplitOverTwoProcesses(t *testing.T) {
	for range 20 {
		e := bridgetest.NewEnv(t)
		one, another := e.Service(t), e.Service(t)
		p := bridgetest.NewPair(t, one)
		var both sync.WaitGroup
		for s, text := range map[*bridge.Service]string{one: half, another: other} {
			both.Go(func() {
				if err := send(t, s, p.A, text); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		texts := textsFor(t, one, p.B)
		switch {
		case texts[0] == other && texts[1] == half: // in this order, the halves are not a secret
		case texts[0] != half || strings.Contains(texts[1], other):
			t.Errorf("the messages say %q", texts)
		}
	}
}

func send(t *testing.T, s *bridge.Service, c bridge.Credentials, text string) error {
	t.Helper()
	_, err := s.Send(t.Context(), c, bridge.SendRequest{Text: text})
	return err
}

// textsFor returns the texts of two messages.
func textsFor(t *testing.T, s *bridge.Service, c bridge.Credentials) (texts []string) {
	t.Helper()
	d, err := s.Check(t.Context(), c, bridge.CheckRequest{}, nil)
	if err != nil || len(d.Messages) != 2 {
		t.Fatalf("got %d messages, %v", len(d.Messages), err)
	}
	return []string{d.Messages[0].Text, d.Messages[1].Text}
}
