package clients_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/test/clients/stub"
)

// TestMoreClientsTalk: each client that gets the server alone joins by a code,
// reads what its partner wrote, and answers. Nothing of bridge runs on after it.
func TestMoreClientsTalk(t *testing.T) {
	for _, c := range chatClients {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			u.install(c)
			p := u.partner()
			code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")
			p.call("send_to_partner", stub.Args{"message": question})
			s := u.seat(c, func(a *stub.Agent) {
				a.Call("join_conversation", stub.Args{"join_code": code})
				wantMessages(t, a.Call("check_messages", nil), question)
				a.Call("send_to_partner", stub.Args{"message": reply})
				a.Say("Answered.")
			})
			u.want(s.prompt("Join with the code and answer.").out, "Answered.")
			if diff := cmp.Diff([]string{"a: " + question, "b: " + reply}, u.onlyConversation().texts()); diff != "" {
				t.Error(diff)
			}
			u.await("the end of the client's server", func() bool { return len(u.servers()) == 0 })
		})
	}
}

// TestToldSessionSurvivesRestart: Qwen Code and Copilot CLI tell their servers
// the same session after it was resumed in another process, so the agent need not
// name its conversation; a new session in the same folder is nobody's.
func TestToldSessionSurvivesRestart(t *testing.T) {
	for _, c := range []client{qwen, copilot} {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			u.install(c)
			s := u.seat(c, func(a *stub.Agent) {
				a.Call("create_conversation", stub.Args{"my_role": "frontend developer", "partner_role": "backend developer"})
				a.Say("Created.")
				a.Call("send_to_partner", stub.Args{"message": "after the restart"})
				a.Say("Sent.")
				if refused := a.Call("send_to_partner", stub.Args{"message": "from a stranger"}); !refused.Has("are needed") {
					t.Errorf("a new session was not refused: %s", refused)
				}
				a.Say("Refused.")
			})
			created := s.prompt("Create a conversation.")
			u.want(s.resume(created, "Write to your partner.").out, "Sent.")
			u.want(s.prompt("Write to your partner.").out, "Refused.")
			s.wantNoToken()
			if diff := cmp.Diff([]string{"a: after the restart"}, u.onlyConversation().texts()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
