package bridge_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// blindStore is a store whose reading fails while its writing works, as where
// another process keeps the log's index, or the disk has no room for it.
type blindStore struct {
	bridge.Store
	err error
}

func (b *blindStore) Suspects(ctx context.Context, prints []int64, visit func(bridge.Suspect)) error {
	if b.err != nil {
		return b.err
	}
	return b.Store.Suspects(ctx, prints, visit)
}

// TestSendTellsAFailingStoreFromAWrongToken: an agent that is told to look at its
// credentials gives up a conversation that is as good as ever.
func TestSendTellsAFailingStoreFromAWrongToken(t *testing.T) {
	store := &blindStore{}
	s := bridgetest.New(t, func(c *bridge.Config) {
		store.Store = c.Store
		c.Store = store
	})
	p := bridgetest.NewPair(t, s)
	store.err = bridge.ErrStoreBusy
	_, err := s.Send(t.Context(), p.A, bridge.SendRequest{Text: strings.Repeat("0f", 32)})
	if !errors.Is(err, bridge.ErrStoreBusy) || errors.Is(err, bridge.ErrUnauthorized) {
		t.Errorf("got %v, want %v alone", err, bridge.ErrStoreBusy)
	}
	store.err = nil
	entries, err := s.AuditEntries(t.Context(), bridge.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Action == "send_to_partner" {
			t.Errorf("the log says %s of a call that the store could not look at", e.Outcome)
		}
	}
}

// TestRefusedElsewhere: what an adapter on another machine says that it refused is
// no text of the log, and the log says who said it.
func TestRefusedElsewhere(t *testing.T) {
	t.Parallel()
	s := bridgetest.New(t)
	p := bridgetest.NewPair(t, s)
	ctx := bridge.WithCaller(t.Context(), "key 0123456789ab")
	wrong := bridge.Invalid("message", "is wrong")
	for _, action := range []string{"check_messages", "", strings.Repeat("a", 1<<20), "approve\ncommand", "é", "Send"} {
		if err := s.RefuseOpenCall(ctx, action, wrong); !errors.Is(err, wrong) {
			t.Errorf("%.20q: %v", action, err)
		}
		if err := s.RefuseCall(ctx, p.A, action, wrong); !errors.Is(err, wrong) {
			t.Errorf("%.20q: %v", action, err)
		}
	}
	entries, err := s.AuditEntries(t.Context(), bridge.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		if !strings.Contains(string(e.Details), `"argument":"message"`) {
			continue
		}
		found++
		if e.Action != "check_messages" && e.Action != "?" {
			t.Errorf("recorded: %.40q", e.Action)
		}
		if e.Conversation == "" && !strings.Contains(string(e.Details), `"caller":"key 0123456789ab"`) {
			t.Errorf("the caller is not told: %s", e.Details)
		}
	}
	if found == 0 {
		t.Error("nothing was recorded")
	}
}
