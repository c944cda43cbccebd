package mcpserver_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// TestReply checks that a reply names the message it answers, on both sides, and that the
// sender learns what was read.
func TestReply(t *testing.T) {
	s := bridgetest.NewServed(t)
	pair, other := bridgetest.NewPair(t, s.Service), bridgetest.NewPair(t, s.Service)
	a, b := connect(t, s, pair.A), connect(t, s, pair.B)
	_, question, _ := call(t, a, "send_to_partner", map[string]any{"message": "Which port?"})
	elsewhere, err := s.Send(t.Context(), other.A, bridge.SendRequest{Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	call(t, b, "check_messages", nil)
	var text string
	var data map[string]any
	// A message counts as read once its answer was written, but its reader may be faster.
	bridgetest.Polled(func() bool {
		text, data, _ = call(t, a, "check_partner_status", nil)
		return data["last_read_message_id"] != nil
	})
	if data["last_read_message_id"] != question["message_id"] || !strings.Contains(text, "that it has read is 1, at ") {
		t.Errorf("receipt: %v\n%s", data, text)
	}
	for _, bad := range []any{elsewhere.ID, -1, 4711} {
		if text, _, failed := call(t, b, "send_to_partner", map[string]any{"message": "8080", "reply_to": bad}); !failed || !strings.Contains(text, "reply_to must be the message_id of a message of this conversation") {
			t.Errorf("reply_to %v: %s", bad, text)
		}
	}
	if text, _, failed := call(t, b, "send_to_partner", map[string]any{"message": "8080", "reply_to": question["message_id"]}); failed {
		t.Fatal(text)
	}
	text, got, _ := call(t, a, "check_messages", nil)
	if m := got["messages"].([]any)[0].(map[string]any); m["reply_to"] != question["message_id"] || !strings.Contains(text, ", answers message 1\n") {
		t.Errorf("the asker: %v\n%s", m, text)
	}
	_, history, _ := call(t, b, "get_history", nil)
	if m := history["messages"].([]any)[1].(map[string]any); m["reply_to"] != question["message_id"] {
		t.Errorf("who answered: %v", m)
	}
}

// TestSharedFiles checks that each of two agents that name the same file is told so once,
// in its next answer.
func TestSharedFiles(t *testing.T) {
	env := bridgetest.NewEnv(t)
	s := env.Served(t)
	pair := bridgetest.NewPair(t, s.Service)
	a, b := connect(t, s, pair.A), connect(t, s, pair.B)
	call(t, a, "send_to_partner", map[string]any{"message": "mine", "files_involved": []string{"./api.go", "a.go"}})
	text, sent, _ := call(t, b, "send_to_partner", map[string]any{"message": "mine", "files_involved": []string{"b.go", "api.go"}})
	if diff := cmp.Diff([]any{"api.go"}, sent["shared_files"]); diff != "" || !strings.Contains(text, `works on these files, too: ["api.go"]`) {
		t.Errorf("who came second: %s\n%s", diff, text)
	}
	text, status, _ := call(t, a, "check_partner_status", nil)
	if diff := cmp.Diff([]any{"api.go"}, status["shared_files"]); diff != "" || !strings.Contains(text, `["api.go"]`) {
		t.Errorf("who came first: %s\n%s", diff, text)
	}
	if _, status, _ := call(t, a, "check_partner_status", nil); status["shared_files"] != nil {
		t.Errorf("told again: %v", status)
	}
	env.Clock.Advance(bridge.SharedFor)
	if _, sent, _ := call(t, b, "send_to_partner", map[string]any{"message": "mine", "files_involved": []string{"a.go"}}); sent["shared_files"] != nil {
		t.Errorf("an hour later: %v", sent)
	}
}
