package mcpserver_test

import (
	"fmt"
	"strings"
	"testing"

	"example.org/bridge/internal/bridgetest"
	"github.com/google/go-cmp/cmp"
)

// TestCallsTakeEffectInOrder sends calls without waiting for answers: long and short
// messages, which take different times to handle, and a check that waits and must not delay
// later calls.
func TestCallsTakeEffectInOrder(t *testing.T) {
	s := bridgetest.NewServed(t)
	lines := []string{
		line(1, "initialize", map[string]any{"protocolVersion": "2025-06-18", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "x", "version": "1"}}),
		line(2, "tools/call", map[string]any{"name": "create_conversation", "arguments": map[string]any{"my_role": "backend", "partner_role": "frontend"}}),
		line(3, "tools/call", map[string]any{"name": "check_messages", "arguments": map[string]any{"wait_seconds": 50}}),
	}
	var want []string
	for i := range 20 {
		text := fmt.Sprint("message ", i)
		if i%2 == 0 {
			text += strings.Repeat(" and more words", 2000)
		}
		want = append(want, text)
		lines = append(lines, line(10+i, "tools/call", map[string]any{"name": "send_to_partner", "arguments": map[string]any{"message": text}}))
	}
	answers := dialogue(t, s, lines...)
	for id, a := range answers {
		if strings.Contains(string(a), `"isError":true`) {
			t.Errorf("%s: %s", id, a)
		}
	}
	conversations, err := s.Conversations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	messages, err := s.Messages(t.Context(), conversations[0].ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range messages {
		got = append(got, m.Text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stored in another order (-sent +stored):\n%.500s", diff)
	}
}
