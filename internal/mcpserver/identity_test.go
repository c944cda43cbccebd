package mcpserver_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/mcpserver"
)

// clientSession is a session of an MCP client that several processes serve in turn.
type clientSession struct {
	t     *testing.T
	env   *bridgetest.Env
	label binding.Label
}

func newClientSession(t *testing.T, env *bridgetest.Env, id string) clientSession {
	return clientSession{t, env, binding.OfSession("claude", id)}
}

// start starts a process of the session.
func (c clientSession) start() *mcp.ClientSession { return c.startBound(bridge.Credentials{}) }

func (c clientSession) startBound(bound bridge.Credentials) *mcp.ClientSession {
	c.t.Helper()
	o := mcpserver.Options{Bound: bound, Bindings: binding.Beside(c.env.Path), Labels: []binding.Label{c.label}}
	return connectAs(c.t, c.env.Served(c.t), o, nil)
}

func create(t *testing.T, c *mcp.ClientSession) map[string]any {
	t.Helper()
	text, data, failed := call(t, c, "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"})
	if failed {
		t.Fatal(text)
	}
	return data
}

// TestRestart checks that the next process of a session continues its conversation, and a
// process of another session does not.
func TestRestart(t *testing.T) {
	env := bridgetest.NewEnv(t)
	one, two := newClientSession(t, env, "one"), newClientSession(t, env, "two")
	created := create(t, one.start())
	if text, _, failed := call(t, one.start(), "send_to_partner", map[string]any{"message": "Are you there?"}); failed {
		t.Error(text)
	}
	if text, _, failed := call(t, two.start(), "check_messages", nil); !failed {
		t.Errorf("another session was admitted: %s", text)
	}
	partner := two.start()
	call(t, partner, "join_conversation", map[string]any{"join_code": created["join_code"]})
	if text, data, failed := call(t, two.start(), "check_messages", nil); failed || len(data["messages"].([]any)) != 1 {
		t.Errorf("the partner after its restart: %s", text)
	}
}

// TestNoTokenInContext checks that if the client gives each process of a session the same
// label, no answer shows a token and none is needed after a restart. Other clients' agents
// get the tokens they may need.
func TestNoTokenInContext(t *testing.T) {
	env := bridgetest.NewEnv(t)
	start := func(id string, told bool) *mcp.ClientSession {
		o := mcpserver.Options{Bindings: binding.Beside(env.Path), Labels: []binding.Label{binding.OfSession("claude", id)}, Told: told}
		return connectAs(t, env.Served(t), o, nil)
	}
	token := regexp.MustCompile(`[0-9a-f]{64}`)
	open := func(c *mcp.ClientSession, tool string, args map[string]any) (string, map[string]any) {
		text, data, failed := call(t, c, tool, args)
		if failed {
			t.Fatal(text)
		}
		return text + fmt.Sprint(data), data
	}
	roles := map[string]any{"my_role": "backend", "partner_role": "frontend"}
	shown, created := open(start("one", true), "create_conversation", roles)
	joined, _ := open(start("two", true), "join_conversation", map[string]any{"join_code": created["join_code"]})
	if token.MatchString(shown + joined) {
		t.Errorf("a token is shown:\n%s\n%s", shown, joined)
	}
	for _, id := range []string{"one", "two"} {
		if text, _, failed := call(t, start(id, true), "send_to_partner", map[string]any{"message": "After a restart."}); failed {
			t.Errorf("session %s: %s", id, text)
		}
	}
	if shown, _ := open(start("three", false), "create_conversation", roles); len(token.FindAllString(shown, -1)) != 4 {
		t.Errorf("the tokens are not shown in the text and in the data:\n%s", shown)
	}
}

// TestRestartWithSeveral checks that with two conversations a call must name one, in the
// next process as well as in the first, but need not pass its token.
func TestRestartWithSeveral(t *testing.T) {
	env := bridgetest.NewEnv(t)
	session := newClientSession(t, env, "one")
	first := session.start()
	a, b := create(t, first), create(t, first)
	for name, c := range map[string]*mcp.ClientSession{"first": first, "next": session.start()} {
		if text, _, failed := call(t, c, "get_history", nil); !failed || !strings.Contains(text, "several conversations") {
			t.Errorf("%s process: %s", name, text)
		}
		for _, created := range []map[string]any{a, b} {
			if text, _, failed := call(t, c, "check_messages", map[string]any{"conversation_id": created["conversation_id"]}); failed {
				t.Errorf("%s process: %s", name, text)
			}
		}
	}
	// A third one, created before any of the earlier ones is used.
	next := session.start()
	create(t, next)
	if text, _, failed := call(t, next, "get_history", nil); !failed {
		t.Errorf("the earlier conversations were forgotten over a new one: %s", text)
	}
}

// TestRestartRotated checks that a replaced token is forgotten, and that the new one, once
// used, is stored for hooks only, not for calls.
func TestRestartRotated(t *testing.T) {
	env := bridgetest.NewEnv(t)
	session := newClientSession(t, env, "one")
	created := create(t, session.start())
	tokens, err := env.Served(t).RotateTokens(t.Context(), created["conversation_id"].(string))
	if err != nil {
		t.Fatal(err)
	}
	next := session.start()
	if text, _, failed := call(t, next, "check_messages", nil); !failed {
		t.Errorf("the old token still works: %s", text)
	}
	bindings := binding.Beside(env.Path)
	if bindings.Has(session.label) {
		t.Error("the old token is still kept")
	}
	whole := map[string]any{"conversation_id": created["conversation_id"], "session_id": "a", "token": tokens[0].Token}
	if text, _, failed := call(t, next, "check_messages", whole); failed {
		t.Fatal(text)
	}
	kept, err := bindings.Load(env.Clock.Now(), binding.Process{}, session.label)
	if err != nil || len(kept) != 1 || kept[0].Own || kept[0].Token != tokens[0].Token {
		t.Errorf("kept %d sessions, %v", len(kept), err)
	}
	if text, _, failed := call(t, session.start(), "check_messages", nil); !failed {
		t.Errorf("a session that was only authenticated counts as the process's own: %s", text)
	}
}

// TestRotatedWhileRunning checks that a process stores the new token once it learns it.
func TestRotatedWhileRunning(t *testing.T) {
	env := bridgetest.NewEnv(t)
	session := newClientSession(t, env, "one")
	c := session.start()
	created := create(t, c)
	tokens, err := env.Served(t).RotateTokens(t.Context(), created["conversation_id"].(string))
	if err != nil {
		t.Fatal(err)
	}
	whole := map[string]any{"conversation_id": created["conversation_id"], "session_id": "a", "token": tokens[0].Token}
	if text, _, failed := call(t, c, "check_messages", whole); failed {
		t.Fatal(text)
	}
	if text, _, failed := call(t, session.start(), "check_messages", nil); failed {
		t.Errorf("the next process: %s", text)
	}
}

// TestBoundDoesNotRestore checks that a process bound by its environment acts for that
// session only.
func TestBoundDoesNotRestore(t *testing.T) {
	env := bridgetest.NewEnv(t)
	session := newClientSession(t, env, "one")
	create(t, session.start())
	other := bridgetest.NewPair(t, env.Service(t))
	bound := session.startBound(other.A)
	if text, data, failed := call(t, bound, "check_partner_status", nil); failed || data["session_id"] != "b" {
		t.Errorf("%s", text)
	}
}

// TestRefusedCallProvesNothing checks that the session named by a refused call is not used
// as an identity, neither for the next call of the process nor for the next process of its
// session.
func TestRefusedCallProvesNothing(t *testing.T) {
	env := bridgetest.NewEnv(t)
	other := bridgetest.NewPair(t, env.Service(t))
	session := newClientSession(t, env, "one")
	process := session.start()
	forged := map[string]any{"conversation_id": other.A.Conversation, "session_id": "a", "token": strings.Repeat("0", 64)}
	if text, _, failed := call(t, process, "check_messages", forged); !failed {
		t.Fatalf("let in: %s", text)
	}
	if binding.Beside(env.Path).Has(session.label) {
		t.Error("it was kept for the session's hooks")
	}
	for name, p := range map[string]*mcp.ClientSession{"the same process": process, "the next process": session.start()} {
		text, _, failed := call(t, p, "check_messages", nil)
		if !failed || !strings.Contains(text, "this process has no such session of its own") {
			t.Errorf("%s: %s", name, text)
		}
	}
	genuine := map[string]any{"conversation_id": other.A.Conversation, "session_id": "a", "token": other.A.Token}
	if text, _, failed := call(t, process, "check_messages", genuine); failed || !binding.Beside(env.Path).Has(session.label) {
		t.Errorf("an authenticated session is not stored: %s", text)
	}
}
