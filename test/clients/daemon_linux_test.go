package clients_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.org/bridge/test/clients/stub"
)

// TestCodexDaemonSharesNothing checks two terminals that use one background
// server. The second terminal has none of the first one's environment, and must
// get neither its session nor its store, however bridge was configured.
func TestCodexDaemonSharesNothing(t *testing.T) {
	for name, entry := range map[string]string{
		"installed": "",
		"by hand":   `env_vars = ["BRIDGE_DB", "BRIDGE_CONVERSATION_ID", "BRIDGE_SESSION_ID", "BRIDGE_TOKEN", "YOLO_MODE"]`,
	} {
		t.Run(name, func(t *testing.T) { testCodexDaemon(t, entry) })
	}
}

func testCodexDaemon(t *testing.T, entry string) {
	c := codexPlain
	u := newUser(t, c)
	p := u.partner()
	created := p.call("create_conversation", stub.Args{"my_role": "backend developer", "partner_role": "frontend developer"})
	p.call("send_to_partner", stub.Args{"message": mail})

	seen := make(chan stub.Result, 2)
	s := u.seat(c, func(a *stub.Agent) {
		for range 2 {
			seen <- a.Call("check_messages", nil)
			a.Say("Looked.")
		}
	})
	other := filepath.Join(filepath.Dir(u.project), "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	u.codexConfig(s.model.URL(), entry, other)
	first := s.codexTerminal(u.project, "Look for mail, first.",
		"BRIDGE_CONVERSATION_ID="+created.Text("conversation_id"), "BRIDGE_SESSION_ID=b", "BRIDGE_TOKEN="+created.Text("session_b_token"),
		"BRIDGE_DB="+filepath.Join(u.home, "first", "bridge.db"), "YOLO_MODE=1")
	wantRefused(t, hearOf(first, seen))
	next := s.codexTerminal(other, "Look for mail, second.")
	wantRefused(t, hearOf(next, seen))
	if _, err := os.Stat(filepath.Join(u.home, "first")); err == nil {
		t.Error("the first terminal's store was made")
	}
	if unread := u.onlyConversation().Conversation.Unread; unread != 1 {
		t.Errorf("%d messages are unread", unread)
	}
	shared := 0
	for _, line := range u.daemons() {
		if strings.Contains(line, "--managed-daemon") {
			shared++
		}
	}
	if shared != 1 {
		t.Errorf("%d background servers run, so this proves nothing", shared)
	}
}

func wantRefused(t *testing.T, r stub.Result) {
	t.Helper()
	if r.Has(mail) {
		t.Errorf("a session got another's mail: %s", r)
	}
	if !r.Has("are needed") {
		t.Errorf("the call was not refused: %q", r)
	}
}

// codexConfig returns the user's configuration, with a model at url. Without
// hooks, Codex does not ask whether to trust them; the flag that suppresses the
// question would prevent it from starting its background server.
func (u *user) codexConfig(url, entry string, folders ...string) {
	u.Helper()
	var trusted strings.Builder
	for _, folder := range append(folders, u.project) {
		fmt.Fprintf(&trusted, "[projects.%q]\ntrust_level = \"trusted\"\n", folder)
	}
	text := fmt.Sprintf(`model = "stub"
model_provider = "stub"
check_for_update_on_startup = false
[analytics]
enabled = false
[features]
hooks = false
[model_providers.stub]
name = "stub"
base_url = %q
wire_api = "responses"
%s`, url, trusted.String())
	if entry != "" {
		text += fmt.Sprintf("[mcp_servers.bridge]\ncommand = %q\nargs = [\"serve\"]\n%s\n", bridgeProgram, entry)
	}
	u.write(".codex/config.toml", text)
	u.install(codex)
}

// codexTerminal starts Codex at a terminal with a prompt.
func (s *seat) codexTerminal(folder, prompt string, env ...string) *terminal {
	s.Helper()
	s.Cleanup(s.endDaemons)
	at, u := *s, *s.user
	u.env = append(u.env[:len(u.env):len(u.env)], env...)
	at.user = &u
	return at.terminal(folder, prompt)
}

// daemons maps the process IDs of Codex's background processes for this home
// folder to their arguments.
func (u *user) daemons() map[int]string {
	u.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		u.Fatal(err)
	}
	found := map[int]string{}
	for _, process := range processes {
		line, err := os.ReadFile(filepath.Join(process, "cmdline"))
		pid, _ := strconv.Atoi(filepath.Base(process))
		if err == nil && strings.HasPrefix(string(line), u.home+"/.codex/packages/") {
			found[pid] = string(line)
		}
	}
	return found
}

// endDaemons ends them, because Codex leaves them running.
func (u *user) endDaemons() {
	for pid := range u.daemons() {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended meanwhile
	}
	u.await("the end of Codex's background server and of its servers", func() bool {
		return len(u.daemons()) == 0 && len(u.servers()) == 0
	})
}

// servers lists the bridge processes that serve a client's agent as this user. The
// processes of partners belong to the test itself.
func (u *user) servers() (found []string) {
	u.Helper()
	own := fmt.Sprintf(" %d ", os.Getpid())
	for _, process := range u.processes(bridgeProgram + "\x00serve") {
		stat, _ := os.ReadFile(filepath.Join(process, "stat"))
		if !strings.Contains(string(stat), ") S"+own) && !strings.Contains(string(stat), ") R"+own) {
			found = append(found, process)
		}
	}
	return found
}
