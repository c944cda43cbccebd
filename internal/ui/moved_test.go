package ui_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/sqlite"
)

// TestMovedStore checks that the page of a store that was moved says so and shows no data
// of it.
func TestMovedStore(t *testing.T) {
	t.Parallel()
	env := bridgetest.NewEnv(t)
	w := newWorldOn(t, env)
	w.login(t)
	w.send(t, w.pair.A, "said before the move")
	path := "conversations/" + w.pair.A.Conversation
	if page := w.get(t, path); !strings.Contains(page, "said before the move") {
		t.Fatalf("the page does not show the message: %.500s", page)
	}
	op := bridge.Operation{Now: env.Clock.Now(), Actor: bridge.Operator, Action: "move_store", Details: bridge.Details{}}
	if err := env.Store(t).Move(t.Context(), op, func(sqlite.Rows) error { return nil }); err != nil {
		t.Fatal(err)
	}
	answer, err := w.browser.Get(w.page.Address() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text := body(t, answer)
	if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "the store was moved") || strings.Contains(text, "said before the move") {
		t.Errorf("got %s: %.500s", answer.Status, text)
	}
}
