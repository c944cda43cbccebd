package clients_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/test/clients/stub"
)

// TestMoreClientsTalk checks that each client for which only the server is
// installed joins with a code, reads its partner's message and answers, and that
// no process of bridge is left afterwards.
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

// TestToldSessionSurvivesRestart checks that Qwen Code and Copilot CLI report the
// same session to their servers after it was resumed in another process, so that
// the agent need not name its conversation. A new session in the same folder must
// have no conversation.
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
