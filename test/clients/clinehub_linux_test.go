package clients_test

import (
	"strings"
	"testing"

	"example.org/bridge/test/clients/stub"
)

// TestClineHubSharesNothing checks Cline's background sessions, which run in a
// hub with the environment of the terminal that started the hub. A session there
// must not get that terminal's session, and its server must end with it.
func TestClineHubSharesNothing(t *testing.T) {
	u := newUser(t, cline)
	u.install(cline)
	p := u.partner()
	created := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"})
	p.call("send_to_partner", stub.Args{"message": mail})
	looked := make(chan stub.Result, 1)
	s := u.seat(cline, func(a *stub.Agent) {
		looked <- a.Call("check_messages", nil)
		a.Say("Looked.")
	})
	u.run("cline", "auth", "-p", "openai", "-k", noKey, "-m", "stub", "-b", s.model.URL()+"/v1")
	u.env = append(u.env[:len(u.env):len(u.env)],
		"BRIDGE_CONVERSATION_ID="+created.Text("conversation_id"), "BRIDGE_SESSION_ID=b", "BRIDGE_TOKEN="+created.Text("session_b_token"))
	out := u.run("cline", "--zen", "Look for mail.")
	for range 2 {
		if !strings.Contains(out, "waiting for detached hub startup") {
			break
		}
		out = u.run("cline", "--zen", "Look for mail.") // Cline waits a few seconds for its hub, which may not be enough on a busy machine
	}
	u.want(out, "in the background")
	said := stub.Result("")
	u.await("a call in the background", func() bool {
		select {
		case said = <-looked:
			return true
		default:
			return false
		}
	})
	wantRefused(t, said)
	if !said.Has("Cline's hub") {
		t.Errorf("the agent is not told why: %s", said)
	}
	u.await("the end of the session's server", func() bool { return len(u.servers()) == 0 })
}
