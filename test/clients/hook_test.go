package clients_test

import (
	"strings"
	"testing"

	"example.org/bridge/test/clients/stub"
)

// notice is the beginning of a hook's message to an agent about its mail.
const notice = "[bridge] Unread messages: "

const mail = "The tests pass on my side."

// TestHooksTellOfMail checks that the hooks of a prompt, of a tool and of the end
// of a turn tell the agent once that mail is waiting, without its content. At the
// end of a turn the agent continues and fetches it.
func TestHooksTellOfMail(t *testing.T) {
	for _, c := range clients {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			u.install(c)
			p := u.partner()
			code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")
			send := func() { p.call("send_to_partner", stub.Args{"message": mail}) }

			s := u.seat(c, func(a *stub.Agent) {
				wantTold(t, a, false)
				a.Call("join_conversation", stub.Args{"join_code": code})

				send()
				a.CallNamed(c.tool, c.toolArgs(u))
				wantTold(t, a, true)
				a.CallNamed(c.tool, c.toolArgs(u))
				wantTold(t, a, false)
				wantMessages(t, a.Call("check_messages", nil), mail)

				send()
				a.Say("I have finished.")
				wantTold(t, a, true)
				wantMessages(t, a.Call("check_messages", nil), mail)
				a.Say("Now I have finished.")

				// The second prompt, in a new process.
				wantTold(t, a, true)
				wantMessages(t, a.Call("check_messages", nil), mail)
				a.Say("There was mail.")
			})
			first := s.prompt("Join with the code.")
			u.want(first.out, "Now I have finished.")
			send()
			u.want(s.resume(first, "Go on.").out, "There was mail.")
			if unread := u.onlyConversation().Conversation.Unread; unread != 0 {
				t.Errorf("%d messages are unread", unread)
			}
		})
	}
}

// wantTold checks whether the client has told the agent of mail since its last
// turn, and that it told nothing else.
func wantTold(t *testing.T, a *stub.Agent, want bool) {
	t.Helper()
	said := a.Request().Said()
	if got := strings.Contains(said, notice); got != want {
		t.Errorf("the agent was told of mail: %t, not %t: %s", got, want, said)
	}
	if strings.Contains(said, mail) {
		t.Errorf("a hook repeated what a partner said: %s", said)
	}
}

// TestStopHookEnds checks that a partner that keeps writing cannot keep an agent
// busy forever without its user.
func TestStopHookEnds(t *testing.T) {
	const most = 5 // agents.MaxHookContinues
	for _, c := range clients {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			u.env = append(u.env, "BRIDGE_RATE_PER_MINUTE=0")
			u.install(c)
			p := u.partner()
			code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")
			turns := 0
			s := u.seat(c, func(a *stub.Agent) {
				a.Call("join_conversation", stub.Args{"join_code": code})
				for turns <= 2*most {
					a.Call("check_messages", stub.Args{"limit": turns + 1}) // Gemini CLI ends the turn at the fifth identical call
					p.call("send_to_partner", stub.Args{"message": mail})
					turns++
					a.Say("I have finished.")
				}
			})
			s.prompt("Join with the code.")
			s.model.Close() // ends the script
			if turns < 2 || turns > most+1 {
				t.Errorf("the agent took %d turns", turns)
			}
		})
	}
}
