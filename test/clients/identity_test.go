package clients_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/test/clients/stub"
)

// token is the form of a token.
var token = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// wantNoToken checks that no token got into the model's context, and so onto the
// user's screen.
func (s *seat) wantNoToken() {
	s.Helper()
	if found := token.FindString(s.model.Sent()); found != "" {
		s.Errorf("%s showed its model a token", s.title)
	}
}

// TestIdentitySurvivesRestart checks that two agents of the same client in the
// same folder keep their identities when each client is restarted with its
// session, although none of their calls names a conversation or a token.
func TestIdentitySurvivesRestart(t *testing.T) {
	for _, c := range []client{claude, codex, gemini} {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			u.install(c)
			codes := make(chan string, 1)
			creator := u.seat(c, func(a *stub.Agent) {
				codes <- a.Call("create_conversation", stub.Args{"my_role": "frontend developer", "partner_role": "backend developer"}).Text("join_code")
				a.Say("Created.")
				a.Call("send_to_partner", stub.Args{"message": "from the creator"})
				a.Say("Sent.")
			})
			joiner := u.seat(c, func(a *stub.Agent) {
				a.Call("join_conversation", stub.Args{"join_code": stub.JoinCode.FindString(a.Request().Said())})
				a.Say("Joined.")
				a.Call("send_to_partner", stub.Args{"message": "from the joiner"})
				a.Say("Sent.")
			})
			created := creator.prompt("Create a conversation.")
			joined := joiner.prompt("Join with " + <-codes + ".")
			u.want(creator.resume(created, "Write to your partner.").out, "Sent.")
			u.want(joiner.resume(joined, "Write to your partner.").out, "Sent.")
			creator.wantNoToken()
			joiner.wantNoToken()
			if diff := cmp.Diff([]string{"a: from the creator", "b: from the joiner"}, u.onlyConversation().texts()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStrangersStayStrangers checks that a new session of the same client in the
// same folder has no conversation.
func TestStrangersStayStrangers(t *testing.T) {
	for _, c := range []client{claude, codex, gemini} {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c)
			u.install(c)
			first := u.seat(c, func(a *stub.Agent) {
				a.Call("create_conversation", stub.Args{"my_role": "frontend developer", "partner_role": "backend developer"})
				a.Say("Created.")
			})
			u.want(first.prompt("Create a conversation.").out, "Created.")
			other := u.seat(c, func(a *stub.Agent) {
				refused := a.Call("send_to_partner", stub.Args{"message": "from a stranger"})
				if !refused.Has("are needed") {
					t.Errorf("a stranger was not refused: %s", refused)
				}
				if token.MatchString(a.Request().All()) {
					t.Error("a stranger was sent a token")
				}
				a.Say("Refused.")
			})
			u.want(other.prompt("Write to your partner.").out, "Refused.")
			if seen := u.onlyConversation(); len(seen.Messages) > 0 {
				t.Errorf("the store has %v", seen.texts())
			}
		})
	}
}
