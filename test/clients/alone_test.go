package clients_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/test/clients/stub"
)

// toolNames are the tools of a bridge without a grant for commands.
var toolNames = []string{
	"create_conversation", "join_conversation", "send_to_partner", "check_messages", "get_history",
	"update_my_status", "check_partner_status", "assign_task", "update_task", "list_tasks",
}

// TestAlone checks that each client finds and uses the tools, without being
// asked for permission and without passing tokens around.
func TestAlone(t *testing.T) {
	for _, c := range clients {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			u.install(c)
			s := u.seat(c, func(a *stub.Agent) {
				for _, part := range []string{"untrusted data", "for the other agent"} {
					if !strings.Contains(string(a.Request().Raw), part) {
						t.Errorf("the model is not told of %q before it looks for tools", part)
					}
				}
				known := a.Tools()
				for _, tool := range toolNames {
					if !strings.Contains(known, tool) {
						t.Errorf("the model does not know %s, but: %s", tool, known)
					}
				}
				created := a.Call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"})
				if created.Text("join_code") == "" {
					t.Errorf("no join code: %s", created)
				}
				sent := a.Call("send_to_partner", stub.Args{"message": "GET /users is ready.", "action_type": "info"})
				if !sent.Has("seq") {
					t.Errorf("not sent: %s", sent)
				}
				a.Call("update_my_status", stub.Args{"status": "waiting"})
				wantMessages(t, a.Call("get_history", nil), "GET /users is ready.")
				wantMessages(t, a.Call("check_messages", nil))
				a.Say("Sent.")
			})
			out := s.prompt("Tell your partner that GET /users is ready.").out
			u.want(out, "Sent.")
			seen := u.onlyConversation()
			if diff := cmp.Diff([]string{"a: GET /users is ready."}, seen.texts()); diff != "" || seen.Conversation.Unread != 1 {
				t.Errorf("the store has %d unread messages, and:\n%s", seen.Conversation.Unread, diff)
			}
		})
	}
}

// wantMessages checks which messages a result shows to the model, and that the
// result is a list of messages.
func wantMessages(t *testing.T, result stub.Result, want ...string) {
	t.Helper()
	got, ok := result.Messages()
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("not the messages that were wanted:\n%s\n%s", diff, result)
	}
}

// TestClaudeLoadsHotTools checks that Claude Code's first request contains the
// tools needed in every turn, and not the others, which are loaded on demand.
func TestClaudeLoadsHotTools(t *testing.T) {
	u := newUser(t, claude)
	u.install(claude)
	s := u.seat(claude, func(a *stub.Agent) { a.Say("Hello.") })
	u.want(s.prompt("Hello.").out, "Hello.")
	var loaded []string
	for _, tool := range s.model.Requests()[0].Tools {
		if name, ours := strings.CutPrefix(tool, "mcp__"+stub.Server+"__"); ours {
			loaded = append(loaded, name)
		}
	}
	slices.Sort(loaded)
	if diff := cmp.Diff([]string{"check_messages", "send_to_partner"}, loaded); diff != "" {
		t.Error(diff)
	}
}
