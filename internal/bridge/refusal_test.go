package bridge_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// blindStore is a store whose reads fail while its writes work, as when another
// process holds the log's index, or the disk is too full for it.
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

// TestSendTellsAFailingStoreFromAWrongToken checks that a failing store is not
// reported as a wrong token, because the agent would then give up a working
// conversation.
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

// TestRefusedElsewhere checks that an action named by an adapter on another
// machine is not logged as it is, and that the log records the adapter's caller.
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
		if !strings.Contains(e.Details, `"argument":"message"`) {
			continue
		}
		found++
		if e.Action != "check_messages" && e.Action != "?" {
			t.Errorf("recorded: %.40q", e.Action)
		}
		if e.Conversation == "" && !strings.Contains(e.Details, `"caller":"key 0123456789ab"`) {
			t.Errorf("the caller is not told: %s", e.Details)
		}
	}
	if found == 0 {
		t.Error("nothing was recorded")
	}
}
