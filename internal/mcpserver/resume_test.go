package mcpserver_test

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/mcpserver"
)

// resumerTest runs clients that do not tell their servers which session they are for.
type resumerTest struct {
	*testing.T
	env *bridgetest.Env
}

// start starts a process of a client.
func (r resumerTest) start(client string) *mcp.ClientSession {
	r.Helper()
	o := mcpserver.Options{Bindings: binding.Beside(r.env.Path)}
	return connectImplementation(r, r.env.Served(r.T), o, &mcp.Implementation{Name: client, Version: "1"}, nil)
}

// answer calls a tool, which must succeed, and checks that the answer shows no token.
func (r resumerTest) answer(c *mcp.ClientSession, tool string, args map[string]any) map[string]any {
	r.Helper()
	text, data, failed := call(r.T, c, tool, args)
	if failed {
		r.Fatalf("%s: %s", tool, text)
	}
	if regexp.MustCompile(`[0-9a-f]{64}`).MatchString(text + fmt.Sprint(data)) {
		r.Errorf("%s shows a token: %s", tool, text)
	}
	return data
}

func (r resumerTest) refused(c *mcp.ClientSession, code any, why string) {
	r.Helper()
	text, _, failed := call(r.T, c, "join_conversation", map[string]any{"join_code": code})
	if !failed || !strings.Contains(text, why) {
		r.Errorf("not refused because it %s: %s", why, text)
	}
}

// TestResumeCode checks that an agent whose client does not identify its session sees no
// token and can continue with its resume code, and that a different client cannot use the
// code.
func TestResumeCode(t *testing.T) {
	r := resumerTest{t, bridgetest.NewEnv(t)}
	created := r.answer(r.start("opencode"), "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"})
	joined := r.answer(r.start("@cline/core"), "join_conversation", map[string]any{"join_code": created["join_code"]})
	for client, was := range map[string]map[string]any{"opencode": created, "@cline/core": joined} {
		next := r.start(client)
		if text, _, failed := call(t, next, "check_messages", nil); !failed || !strings.Contains(text, "resume code") {
			t.Errorf("a new %s already has a session: %s", client, text)
		}
		back := r.answer(next, "join_conversation", map[string]any{"join_code": strings.ToLower(was["resume_code"].(string))})
		for _, same := range []string{"conversation_id", "session_id", "my_role", "partner_role", "resume_code"} {
			if back[same] != was[same] {
				t.Errorf("%s is back with the %s %v, not %v", client, same, back[same], was[same])
			}
		}
		r.answer(next, "send_to_partner", map[string]any{"message": "After a restart."})
	}
	r.refused(r.start("gemini-cli-mcp-client"), created["resume_code"], "is no longer valid")
	r.refused(r.start("opencode"), auth.NewResumeCode(), "is no longer valid")
	r.refused(r.start("somebody"), created["resume_code"], "must be a code such as")
}

// TestResumeCodeEnds checks that a code is valid as long as its conversation, even if that
// is extended, and that it becomes invalid when its token is replaced.
func TestResumeCodeEnds(t *testing.T) {
	r := resumerTest{t, bridgetest.NewEnv(t)}
	c := r.start("opencode")
	created := r.answer(c, "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend", "ttl_minutes": 10})
	code := map[string]any{"join_code": created["resume_code"]}
	r.answer(c, "extend_conversation", map[string]any{"minutes": 3 * 24 * 60})
	r.env.Clock.Advance(2 * 24 * time.Hour)
	r.answer(r.start("opencode"), "join_conversation", code)
	if _, err := r.env.Served(t).RotateTokens(t.Context(), created["conversation_id"].(string)); err != nil {
		t.Fatal(err)
	}
	r.refused(r.start("opencode"), created["resume_code"], "is no longer valid")
}

// TestNoResumeCode checks that other programs get their tokens, and so do sessions bound by
// the environment.
func TestNoResumeCode(t *testing.T) {
	r := resumerTest{t, bridgetest.NewEnv(t)}
	if created := create(t, r.start("somebody")); created["resume_code"] != nil || created["session_a_token"] == nil {
		t.Errorf("%v", created)
	}
}

// TestSharedServer checks a server that serves several sessions of a client. If calls do
// not identify their session, none of them can act for a session that another has joined; a
// resume code in each call proves the identity. Calls that identify their session need no
// code.
func TestSharedServer(t *testing.T) {
	r := resumerTest{t, bridgetest.NewEnv(t)}
	o := mcpserver.Options{Bindings: binding.Beside(r.env.Path), Shared: "opencode's server"}
	c := connectImplementation(r, r.env.Served(t), o, &mcp.Implementation{Name: "opencode", Version: "1"}, nil)
	first := r.answer(c, "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"})
	second := r.answer(c, "join_conversation", map[string]any{"join_code": first["join_code"]})
	codeOf := func(was map[string]any, more map[string]any) map[string]any {
		args := map[string]any{"token": was["resume_code"]}
		maps.Copy(args, more)
		return args
	}
	r.answer(c, "send_to_partner", codeOf(first, map[string]any{"message": "For the second."}))
	for _, args := range []map[string]any{
		nil,
		{"conversation_id": first["conversation_id"]},
		{"conversation_id": first["conversation_id"], "session_id": "b"},
		{"token": auth.NewResumeCode()},
		codeOf(second, map[string]any{"session_id": "a"}),
	} {
		if text, _, failed := call(t, c, "check_messages", args); !failed || !strings.Contains(text, "resume code") {
			t.Errorf("%v was not refused: %s", args, text)
		}
	}
	if all := r.answer(c, "list_conversations", nil); len(all["conversations"].([]any)) > 0 {
		t.Errorf("anybody sees %v", all)
	}
	if got := r.answer(c, "check_messages", codeOf(second, nil)); len(got["messages"].([]any)) != 1 {
		t.Errorf("the second got %v", got)
	}
	if strange := r.start("@cline/core"); strange != nil {
		if text, _, failed := call(t, strange, "check_messages", codeOf(second, nil)); !failed {
			t.Errorf("another client's code is accepted: %s", text)
		}
	}
}

// TestSharedServerWithTokens checks that a program without resume codes has to pass all
// three credentials.
func TestSharedServerWithTokens(t *testing.T) {
	r := resumerTest{t, bridgetest.NewEnv(t)}
	o := mcpserver.Options{Bindings: binding.Beside(r.env.Path), Shared: "a server"}
	c := connectImplementation(r, r.env.Served(t), o, &mcp.Implementation{Name: "somebody", Version: "1"}, nil)
	created := create(t, c)
	if text, _, failed := call(t, c, "check_messages", nil); !failed {
		t.Errorf("any caller can act for session a: %s", text)
	}
	mine := map[string]any{"conversation_id": created["conversation_id"], "session_id": "a", "token": created["session_a_token"]}
	if text, _, failed := call(t, c, "check_messages", mine); failed {
		t.Error(text)
	}
}

// TestSharedServerTold checks a client that identifies its session in each call: the
// session that joined needs neither code nor token, even in the client's next process, and
// other sessions cannot act for it.
func TestSharedServerTold(t *testing.T) {
	for client, in := range map[string]func(session string) mcp.Meta{
		"qwen-cli": func(session string) mcp.Meta {
			return mcp.Meta{"qwen-code/invocation": map[string]any{"version": 1, "sessionId": session}}
		},
		"opencode": func(session string) mcp.Meta { return mcp.Meta{"sessionID": session, "progressToken": 1} },
	} {
		for host, shared := range map[string]string{"a server": "a server", "a terminal": ""} {
			t.Run(client+" in "+host, func(t *testing.T) { testTold(t, client, shared, in) })
		}
	}
}

func testTold(t *testing.T, client, shared string, in func(session string) mcp.Meta) {
	r := resumerTest{t, bridgetest.NewEnv(t)}
	joinCode := create(t, connect(t, r.env.Served(t), bridge.Credentials{}))["join_code"]
	start := func() *mcp.ClientSession {
		o := mcpserver.Options{Bindings: binding.Beside(r.env.Path), Shared: shared}
		return connectImplementation(r, r.env.Served(t), o, &mcp.Implementation{Name: client, Version: "2"}, nil)
	}
	ask := func(c *mcp.ClientSession, tool, session string, args map[string]any) (text string, failed bool) {
		result, err := c.CallTool(t.Context(), &mcp.CallToolParams{Meta: in(session), Name: tool, Arguments: args})
		if err != nil {
			t.Fatal(err)
		}
		return result.Content[0].(*mcp.TextContent).Text, result.IsError
	}
	first, next := start(), start()
	joined, failed := ask(first, "join_conversation", "one", map[string]any{"join_code": joinCode})
	if failed || !strings.Contains(joined, "session is remembered") {
		t.Errorf("session one was told: %s", joined)
	}
	for _, c := range []*mcp.ClientSession{first, next} {
		if text, failed := ask(c, "check_messages", "one", nil); failed {
			t.Errorf("session one has no session: %s", text)
		}
		if text, failed := ask(c, "check_messages", "two", nil); !failed {
			t.Errorf("session two is session one: %s", text)
		}
	}
}
