package mcpserver_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/binding"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/mcpserver"
)

// resumerTest has clients that do not say which session they are.
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

// answer calls a tool that must do what it is for, and checks that no token is shown.
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

// TestResumeCode: an agent whose client does not say which session it is sees no
// token, and comes back with its resume code; nobody else gets its session by it.
func TestResumeCode(t *testing.T) {
	r := resumerTest{t, bridgetest.NewEnv(t)}
	created := r.answer(r.start("opencode"), "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"})
	joined := r.answer(r.start("@cline/core"), "join_conversation", map[string]any{"join_code": created["join_code"]})
	for client, was := range map[string]map[string]any{"opencode": created, "@cline/core": joined} {
		next := r.start(client)
		if text, _, failed := call(t, next, "check_messages", nil); !failed || !strings.Contains(text, "resume code") {
			t.Errorf("a new %s is somebody: %s", client, text)
		}
		back := r.answer(next, "join_conversation", map[string]any{"join_code": strings.ToLower(was["resume_code"].(string))})
		for _, same := range []string{"conversation_id", "session_id", "my_role", "partner_role", "resume_code"} {
			if back[same] != was[same] {
				t.Errorf("%s is back with the %s %v, not %v", client, same, back[same], was[same])
			}
		}
		r.answer(next, "send_to_partner", map[string]any{"message": "After a restart."})
	}
	r.refused(r.start("gemini-cli-mcp-client"), created["resume_code"], "counts no more")
	r.refused(r.start("opencode"), auth.NewResumeCode(), "counts no more")
	r.refused(r.start("somebody"), created["resume_code"], "must be a code such as")
}

// TestResumeCodeEnds: a code lives as long as its conversation, extended or not, and
// ends with its token.
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
	r.refused(r.start("opencode"), created["resume_code"], "counts no more")
}

// TestNoResumeCode: other programs get their tokens, as what is bound by its
// environment does.
func TestNoResumeCode(t *testing.T) {
	r := resumerTest{t, bridgetest.NewEnv(t)}
	if created := create(t, r.start("somebody")); created["resume_code"] != nil || created["session_a_token"] == nil {
		t.Errorf("%v", created)
	}
}
