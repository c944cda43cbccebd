package bridge_test

import (
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// TestSecretsSplitOverTwoMessages: the second message completes a secret that
// the first begins, also where another process of the same session sends it at
// the same moment.
func TestSecretsSplitOverTwoMessages(t *testing.T) {
	head, tail := "the key is ghp_"+strings.Repeat("Ab3", 6), strings.Repeat("Cd4", 6)
	for range 20 {
		e := bridgetest.NewEnv(t)
		one, other := e.Service(t), e.Service(t)
		p := bridgetest.NewPair(t, one)
		var both sync.WaitGroup
		for s, text := range map[*bridge.Service]string{one: head, other: tail} {
			both.Go(func() {
				if _, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: text}); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		d, err := one.Check(t.Context(), p.B, bridge.CheckRequest{}, nil)
		if err != nil || len(d.Messages) != 2 {
			t.Fatalf("got %d messages, %v", len(d.Messages), err)
		}
		// In the other order the two are no secret.
		if d.Messages[0].Text == head && strings.Contains(d.Messages[1].Text, tail) {
			t.Errorf("the second message says %q", d.Messages[1].Text)
		}
	}
}
