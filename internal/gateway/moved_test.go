package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/access"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestMovedStore checks that a gateway whose store is moved refuses all calls from then on
// and says why: data accepted after the move would be in neither store.
func TestMovedStore(t *testing.T) {
	t.Parallel()
	e := bridgetest.NewEnv(t)
	p := placeOn(t, e)
	secret := p.key(t, "agent", access.Agent)
	join := rpc("tools/call", map[string]any{"name": "join_conversation", "arguments": map[string]any{"join_code": "K7QM2X9D"}})
	calls := []struct {
		name, path, body string
		status           int
	}{
		{"an operation", "/api/v1/operations/Join", `["K7QM2X9D"]`, http.StatusServiceUnavailable},
		{"a tool", "/mcp", join, http.StatusOK}, // its result is an error
	}
	for _, c := range calls {
		if status, _, body := p.raw(t, secret, "POST", c.path, c.body, legacy); strings.Contains(body, "was moved") {
			t.Fatalf("%s, before: %d: %.300s", c.name, status, body)
		}
	}
	op := bridge.Operation{Now: time.Now(), Actor: bridge.Operator, Action: "move_store", Details: bridge.Details{}}
	if err := e.Store(t).Move(t.Context(), op, func(sqlite.Rows) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		status, _, body := p.raw(t, secret, "POST", c.path, c.body, legacy)
		if status != c.status || !strings.Contains(body, "was moved") {
			t.Errorf("%s: got %d: %.300s", c.name, status, body)
		}
	}
	if status, _, body := p.raw(t, "", "GET", "/ready", "", nil); status != http.StatusServiceUnavailable {
		t.Errorf("ready: got %d: %.300s", status, body)
	}
}
