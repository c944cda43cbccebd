package clients_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/bridge/test/clients/stub"
)

// TestMailWakesIdleCodex checks that with --wake, mail wakes an idle Codex, both
// with a background server and without one, and that the waiting process ends
// with Codex.
func TestMailWakesIdleCodex(t *testing.T) {
	for name, args := range map[string][]string{
		"background server": nil,
		"alone":             {"--no-daemon"},
	} {
		t.Run(name, func(t *testing.T) {
			c := codexPlain
			u := newUser(t, c)
			p := u.partner()
			code := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"}).Text("join_code")
			w := &wakeTest{user: u, client: c, partner: p, told: make(chan string, 2)}
			s := u.seat(c, func(a *stub.Agent) {
				a.Call("join_conversation", stub.Args{"join_code": code})
				a.Say("I have finished.")
				w.wakes(a)
			})
			u.codexConfig(s.model.URL(), "[mcp_servers.bridge.tools.join_conversation]\napproval_mode = \"approve\"")
			u.want(u.run(bridgeProgram, "install", c.program, "--allow-tools", "--wake"), "is connected")
			u.trustCodexHooks()
			t.Cleanup(s.endDaemons)
			at := s.terminal(u.project, append(args, "Join with the code.")...)
			w.wake(at.shown)
			at.hangUp()
			u.endDaemons()
			w.nothingWaits()
		})
	}
}

// trustCodexHooks does what the user does with /hooks. Codex runs no hooks
// before that.
func (u *user) trustCodexHooks() {
	u.Helper()
	path := filepath.Join(u.home, ".codex", "config.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		u.Fatal(err)
	}
	config := strings.Replace(string(text), "hooks = false", "hooks = true", 1)
	u.write(".codex/config.toml", config)
	var hooks struct {
		Data []struct {
			Hooks []struct{ Key, CurrentHash string }
		}
	}
	u.appServer(map[string]any{"hooks/list": &hooks})
	for _, folder := range hooks.Data {
		for _, hook := range folder.Hooks {
			config += fmt.Sprintf("\n[hooks.state.%q]\ntrusted_hash = %q\n", hook.Key, hook.CurrentHash)
		}
	}
	if !strings.Contains(config, "trusted_hash") {
		u.Fatalf("Codex has no hooks: %+v", hooks)
	}
	u.write(".codex/config.toml", config)
}
