package mcpserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
)

// orchestrator is a client that is session a of three conversations, with their sessions b.
func orchestrator(t *testing.T, env *bridgetest.Env) (*mcp.ClientSession, []bridge.Credentials) {
	t.Helper()
	lead := connect(t, env.Served(t), bridge.Credentials{})
	var workers []bridge.Credentials
	for i := range 3 {
		_, c, failed := call(t, lead, "create_conversation", map[string]any{"my_role": "lead", "partner_role": fmt.Sprintf("worker %d", i)})
		if failed {
			t.Fatal(c)
		}
		workers = append(workers, bridge.Credentials{
			Conversation: c["conversation_id"].(string), Session: "b", Token: c["session_b_token"].(string),
		})
	}
	return lead, workers
}

func texts(data map[string]any) (all []string) {
	for _, m := range data["messages"].([]any) {
		m := m.(map[string]any)
		all = append(all, fmt.Sprint(m["message"], " ", m["conversation_id"]))
	}
	return all
}

// TestOneInbox checks that a process that passes no ids gets the messages of all its
// conversations, oldest first, and that each message names its conversation.
func TestOneInbox(t *testing.T) {
	env := bridgetest.NewEnv(t)
	lead, workers := orchestrator(t, env)
	s := env.Served(t)
	var want []string
	for i := range 7 {
		w := workers[(i*2)%3]
		text := fmt.Sprintf("message %d", i)
		if _, err := s.Send(t.Context(), w, bridge.SendRequest{Text: text}); err != nil {
			t.Fatal(err)
		}
		want = append(want, text+" "+w.Conversation)
	}
	text, data, failed := call(t, lead, "check_messages", map[string]any{"limit": 4})
	if diff := cmp.Diff(want[:4], texts(data)); failed || diff != "" || data["has_more"] != true || data["unread"] != 3.0 {
		t.Errorf("the first page: %v\n%s\n%s", data, diff, text)
	}
	if !strings.Contains(text, ", conversation "+workers[0].Conversation+"\n") {
		t.Errorf("text: %s", text)
	}
	if _, data, _ = call(t, lead, "check_messages", map[string]any{"wait_seconds": 5}); cmp.Diff(want[4:], texts(data)) != "" || data["has_more"] != false {
		t.Errorf("the second page: %v", data)
	}
	if _, data, _ = call(t, lead, "check_messages", nil); len(texts(data)) != 0 {
		t.Errorf("then: %v", data)
	}
	if text, _, failed := call(t, lead, "check_messages", map[string]any{"limit": 1000}); !failed || !strings.Contains(text, "limit must be 1 to 100") {
		t.Errorf("an odd limit: %s", text)
	}
	if text, _, failed := call(t, lead, "send_to_partner", map[string]any{"message": "x"}); !failed || !strings.Contains(text, workers[0].Conversation+" as a") {
		t.Errorf("a send without ids: %s", text)
	}
}

// TestOneInboxWaits checks that waiting for all conversations returns as soon as one of
// them has a message.
func TestOneInboxWaits(t *testing.T) {
	env := bridgetest.NewEnv(t)
	lead, workers := orchestrator(t, env)
	s := env.Served(t)
	sent := make(chan error, 1)
	go func() {
		_, err := s.Send(t.Context(), workers[1], bridge.SendRequest{Text: "done"})
		sent <- err
	}()
	_, data, _ := call(t, lead, "check_messages", map[string]any{"wait_seconds": 30})
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"done " + workers[1].Conversation}, texts(data)); diff != "" {
		t.Error(diff)
	}
	// Rotated tokens in one conversation must not hide the messages of the others.
	if _, err := s.RotateTokens(t.Context(), workers[0].Conversation); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send(t.Context(), workers[2], bridge.SendRequest{Text: "more"}); err != nil {
		t.Fatal(err)
	}
	text, data, _ := call(t, lead, "check_messages", map[string]any{"wait_seconds": 30})
	if diff := cmp.Diff([]string{"more " + workers[2].Conversation}, texts(data)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(text, "No longer yours") || cmp.Diff([]any{workers[0].Conversation}, data["refused_conversations"]) != "" {
		t.Errorf("refused: %v\n%s", data, text)
	}
}

func TestListConversations(t *testing.T) {
	env := bridgetest.NewEnv(t)
	lead, workers := orchestrator(t, env)
	s := env.Served(t)
	if _, err := s.Send(t.Context(), workers[2], bridge.SendRequest{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	text, data, failed := call(t, lead, "list_conversations", nil)
	all := data["conversations"].([]any)
	if failed || len(all) != 3 || data["unread"] != 1.0 {
		t.Fatalf("%v\n%s", data, text)
	}
	newest, oldest := all[0].(map[string]any), all[2].(map[string]any)
	partner := newest["partner"].(map[string]any)
	if newest["conversation_id"] != workers[2].Conversation || newest["unread"] != 1.0 || partner["role"] != "worker 2" || partner["alive"] != true {
		t.Errorf("the newest: %v", newest)
	}
	if oldest["conversation_id"] != workers[0].Conversation || oldest["partner"].(map[string]any)["joined"] != false {
		t.Errorf("the oldest: %v", oldest)
	}
	if !strings.Contains(text, "nobody has joined yet") || !strings.Contains(text, "unread: 1;") {
		t.Errorf("text: %s", text)
	}
	if _, data, _ := call(t, lead, "list_conversations", map[string]any{"limit": "2"}); len(data["conversations"].([]any)) != 2 || data["has_more"] != true {
		t.Errorf("two of them: %v", data)
	}
	if _, data, _ := call(t, connect(t, s, bridge.Credentials{}), "list_conversations", nil); len(data["conversations"].([]any)) != 0 {
		t.Errorf("of a newcomer: %v", data)
	}
}
