package clients_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/test/clients/stub"
)

// seated are clients at a terminal.
var seated = []struct {
	client
	// args pass it a prompt in a new session. again continues the latest session
	// in another process.
	args, again []string
	// typed reports that again takes no prompt, so that the prompt has to be
	// typed.
	typed bool
	// remembered reports that bridge recognises the session after a restart.
	// Otherwise its agent returns with a resume code.
	remembered bool
}{
	{gemini, []string{"--approval-mode", "yolo", "-i"}, []string{"--approval-mode", "yolo", "--resume", "latest", "-i"}, false, true},
	{opencode, []string{"--auto", "--prompt"}, []string{"--auto", "--continue"}, true, false},
	{qwen, []string{"--approval-mode", "yolo", "--auth-type", "openai", "-i"}, []string{"--approval-mode", "yolo", "--auth-type", "openai", "--continue", "-i"}, false, true},
	{copilot, []string{"--allow-all-tools", "-i"}, []string{"--allow-all-tools", "--continue", "-i"}, false, true},
	{cline, []string{"--tui"}, []string{"--tui", "--id"}, true, false},
}

// again is the user's prompt after a restart.
const again = "Write to your partner."

// TestSeatedAtTerminal checks each client at a terminal: it joins, reads and
// answers. Restarted with its session, it continues without a token, which the
// model never sees. When the terminal is closed, no process of bridge is left.
func TestSeatedAtTerminal(t *testing.T) {
	for _, c := range seated {
		t.Run(c.title, func(t *testing.T) {
			u := newUser(t, c.client)
			u.trust(c.client)
			u.install(c.client)
			p := u.partner()
			code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")
			p.call("send_to_partner", stub.Args{"message": question})
			said := make(chan string, 2)
			s := u.seat(c.client, func(a *stub.Agent) {
				back := a.Call("join_conversation", stub.Args{"join_code": code}).Text("resume_code")
				wantMessages(t, a.Call("check_messages", nil), question)
				a.Call("send_to_partner", stub.Args{"message": reply})
				said <- "answered"
				a.Say("I have answered.")
				for !strings.Contains(a.Request().Said(), again) { // a client may ask for a title, or for suggestions for the user's next prompt
					a.Say("Nothing.")
				}
				if !c.remembered {
					a.Call("join_conversation", stub.Args{"join_code": back})
				}
				if sent := a.Call("send_to_partner", stub.Args{"message": "after the restart"}); !sent.Has("seq") {
					t.Errorf("not sent after the restart: %s", sent)
				}
				said <- "sent"
				a.Say("I have sent it.")
			})
			if c.program == cline.program {
				u.run("cline", "auth", "-p", "openai", "-k", noKey, "-m", "stub", "-b", s.model.URL()+"/v1")
			}
			at := s.terminal(u.project, append(c.args, "Join with the code and answer.")...)
			hearOf(at, said)
			at.leave()
			switch {
			case c.program == cline.program:
				at = s.terminal(u.project, append(c.again, u.latestClineSession())...)
			case c.typed:
				at = s.terminal(u.project, c.again...)
			default:
				at = s.terminal(u.project, append(c.again, again)...)
			}
			if c.typed {
				at.await("the earlier turn", func() bool { return strings.Contains(plainScreen(at.shown()), "answered.") })
				at.rests()
				at.keys(again)
				at.rests()
				at.keys("\r")
			}
			hearOf(at, said)
			at.leave()
			s.wantNoToken()
			if diff := cmp.Diff([]string{"a: " + question, "b: " + reply, "b: after the restart"}, u.onlyConversation().texts()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// trust is the user's earlier answer to whether the folder is trusted, if the
// client asks.
func (u *user) trust(c client) {
	if c.program == copilot.program {
		u.write(".copilot/config.json", fmt.Sprintf(`{"trusted_folders": [%q]}`, u.project))
	}
}

// latestClineSession asks Cline for its latest session.
func (u *user) latestClineSession() string {
	u.Helper()
	out := u.run("cline", "history", "--json")
	found := regexp.MustCompile(`"(?:id|sessionId)":\s*"([^"]+)"`).FindStringSubmatch(out)
	if found == nil {
		u.Fatalf("Cline knows no session: %s", out)
	}
	return found[1]
}

// leave waits until the client is idle, closes the terminal, and waits until no
// process of bridge is left. A session that Cline resumes runs in its hub, and ends
// with the hub.
func (t *terminal) leave() {
	t.Helper()
	t.rests()
	t.hangUp()
	if t.program == cline.program {
		t.endHubs()
	}
	t.await("the end of the client's server", func() bool { return len(t.servers()) == 0 })
}

// rests waits until the screen has not changed for a while: the client has shown what
// its model said, or is ready.
func (t *terminal) rests() {
	t.Helper()
	seen, since := -1, time.Now()
	t.await("a client at rest", func() bool {
		if now := len(t.shown()); now != seen {
			seen, since = now, time.Now()
		}
		return seen > 0 && time.Since(since) > 1500*time.Millisecond
	})
}
