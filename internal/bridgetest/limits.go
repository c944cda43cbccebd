package bridgetest

import (
	"testing"

	"example.org/bridge/internal/bridge"
)

// SetLimits sets all limits of a store.
func SetLimits(t testing.TB, s *bridge.Service, l bridge.Limits) {
	t.Helper()
	change := bridge.LimitChange{
		Windows: map[bridge.LimitKind]bridge.WindowChange{},
		Bytes:   &l.Quota.Bytes, Conversations: &l.Quota.Conversations, Messages: &l.Quota.Messages,
	}
	for _, kind := range bridge.LimitKinds() {
		limit := l.Of(kind)
		change.Windows[kind] = bridge.WindowChange{PerMinute: &limit.PerMinute, PerHour: &limit.PerHour, PerDay: &limit.PerDay}
	}
	if _, err := s.SetLimits(t.Context(), change); err != nil {
		t.Fatal(err)
	}
}
