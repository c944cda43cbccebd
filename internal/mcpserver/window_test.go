package mcpserver_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/mcpserver"
)

// clientLimit is how much of one result a client shows its model, as found in the clients:
// Claude Code 2.1.329 writes MCP results over 50,000 characters to a file, unless the tool
// raises that limit; Codex 0.169.0 cuts at 10,000 bytes with a model it does not know;
// Gemini CLI 0.61.0 cuts at 40,000 characters.
var clientLimits = map[string]int{
	"claude-code":           200_000,
	"codex-mcp-client":      10_000,
	"gemini-cli-mcp-client": 40_000,
}

// TestPagesFitClients sends messages of maximum size and reads them back completely, in
// pages that no client cuts.
func TestPagesFitClients(t *testing.T) {
	texts := map[string]string{
		"long":    strings.Repeat("All work and no play. ", bridge.MaxMessageLength/22),
		"escaped": strings.Repeat("\"\\\n", bridge.MaxMessageLength/3),
		"wide":    strings.Repeat("\U0001F600", bridge.MaxMessageLength),
	}
	for name, limit := range clientLimits {
		for kind, text := range texts {
			t.Run(name+"/"+kind, func(t *testing.T) { readInPages(t, name, limit, text) })
		}
	}
}

// TestRoomAroundAnAnswer checks that a cut answer leaves room for its notes: that the
// conversation has expired, and which arguments were ignored.
func TestRoomAroundAnAnswer(t *testing.T) {
	env := bridgetest.NewEnv(t)
	sender := env.Served(t)
	p := bridgetest.NewPair(t, sender.Service)
	if _, err := sender.Send(t.Context(), p.A, bridge.SendRequest{Text: strings.Repeat("All work and no play. ", bridge.MaxMessageLength/22)}); err != nil {
		t.Fatal(err)
	}
	env.Clock.Advance(bridge.DefaultTTL)
	args := map[string]any{}
	for _, name := range []string{"mark_as_read", "conversation_of_the_team", "include_the_metadata", "maximum_number_of_results"} {
		args[name] = true
	}
	c := connectNamed(t, env.Served(t), "codex-mcp-client", p.B)
	answer, data, _ := call(t, c, "check_messages", args)
	if len(data["messages"].([]any)) != 1 || data["expired_at"] == nil || len(data["ignored_arguments"].([]any)) != len(args) {
		t.Fatalf("got %v", data)
	}
	fits(t, clientLimits["codex-mcp-client"], answer, data)
}

func readInPages(t *testing.T, name string, limit int, text string) {
	env := bridgetest.NewEnv(t)
	sender := env.Served(t)
	p := bridgetest.NewPair(t, sender.Service)
	const messages = 4
	for range messages {
		if _, err := sender.Send(t.Context(), p.A, bridge.SendRequest{Text: text, Files: manyFiles()}); err != nil {
			t.Fatal(err)
		}
	}
	c := connectNamed(t, env.Served(t), name, p.B)
	got := 0
	for more := true; more; {
		answer, data, _ := call(t, c, "check_messages", map[string]any{"limit": 100})
		fits(t, limit, answer, data)
		for _, m := range data["messages"].([]any) {
			got++
			if whole := wholeText(t, c, limit, m.(map[string]any)); whole != cleantext.Clean(text) {
				t.Fatalf("message %d came back with %d bytes, want %d", got, len(whole), len(text))
			}
		}
		more = data["has_more"].(bool)
	}
	if got != messages {
		t.Errorf("%d messages, want %d", got, messages)
	}
}

// wholeText fetches the rest of a message as the answer says, if there is any.
func wholeText(t *testing.T, c *mcp.ClientSession, limit int, m map[string]any) string {
	text := m["message"].(string)
	for m["next_char"] != nil {
		answer, data, failed := call(t, c, "get_history", map[string]any{
			"before": m["message_id"].(float64) + 1, "limit": 1, "from_char": m["next_char"],
		})
		if failed {
			t.Fatal(answer)
		}
		fits(t, limit, answer, data)
		rest := data["messages"].([]any)[0].(map[string]any)
		if rest["message_id"] != m["message_id"] {
			t.Fatalf("the rest of message %v is of %v", m["message_id"], rest["message_id"])
		}
		m = rest
		text += m["message"].(string)
	}
	return text
}

// fits checks both forms of an answer against the limit of the client.
func fits(t *testing.T, limit int, text string, data map[string]any) {
	t.Helper()
	encoded := new(strings.Builder)
	e := json.NewEncoder(encoded)
	e.SetEscapeHTML(false)
	if err := e.Encode(data); err != nil {
		t.Fatal(err)
	}
	if len(text) > limit && limit < 100_000 || encoded.Len() > limit && limit < 100_000 {
		t.Fatalf("an answer has %d bytes as text and %d as JSON, the client shows %d", len(text), encoded.Len(), limit)
	}
	if n := len([]rune(encoded.String())); n > limit {
		t.Fatalf("an answer has %d characters, the client shows %d", n, limit)
	}
}

func manyFiles() (files []string) {
	for i := range bridge.MaxFiles {
		files = append(files, fmt.Sprintf("internal/some/folder/file-%02d.go", i))
	}
	return files
}

// connectNamed is connect for a client with the given name.
func connectNamed(t *testing.T, b bridgetest.Served, name string, bound bridge.Credentials) *mcp.ClientSession {
	t.Helper()
	return connectImplementation(t, b, mcpserver.Options{Bound: bound}, &mcp.Implementation{Name: name, Version: "1"}, nil, "2025-06-18")
}
