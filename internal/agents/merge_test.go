package agents_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/agents"
)

// owned are entries that somebody wrote by hand or added to, with the parts that must
// be kept.
var owned = map[string]struct {
	client     agents.Client
	path, text string
	stays      []string
}{
	"claude": {
		agents.Claude, "home/.claude.json",
		`{"mcpServers": {"bridge": {"command": "/old/bridge", "env": {"YOLO_MODE": "1"}, "timeout": 7, "args": ["serve", "--log-level", "debug"]}}}`,
		[]string{`"env": {"YOLO_MODE": "1"}`, `"timeout": 7`, `"--log-level"`},
	},
	"gemini": {
		agents.Gemini, "home/.gemini/settings.json",
		"{\n  \"mcpServers\": {\n    \"bridge\": {\n      \"command\": \"/old/bridge\",\n      // mine\n      \"trust\": true,\n      \"includeTools\": [\"check_messages\"]\n    }\n  },\n" +
			"  \"hooks\": {\"AfterAgent\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"/old/bridge hook gemini\"}, {\"type\": \"command\", \"command\": \"say done\"}]}]}\n}\n",
		[]string{"// mine\n      \"trust\": true", `"includeTools": ["check_messages"]`, "say done"},
	},
	"codex": {
		agents.Codex, "home/.codex/config.toml",
		"[mcp_servers.bridge]\ncommand = \"/old/bridge\" # old\nargs = [\"serve\"]\nenv_vars = [\"EDITOR\", \"BRIDGE_TOKEN\"]\nenabled = true\ndefault_tools_approval_mode = \"approve\"\n\n" +
			"[mcp_servers.bridge.env]\nX = \"1\"\n\n[mcp_servers.bridge.tools.check_messages]\napproval_mode = \"approve\"\n",
		[]string{"enabled = true", `default_tools_approval_mode = "approve"`, "[mcp_servers.bridge.env]\nX = \"1\"", "tools.check_messages]\napproval_mode", `env_vars = ["EDITOR"]`},
	},
}

// TestMerge checks that an existing entry is changed to start our server and keeps
// everything else, and that uninstall restores it.
func TestMerge(t *testing.T) {
	for name, c := range owned {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.write(c.path, c.text)
			before := d.tree()
			s := d.setup(c.client, agents.ScopeUser)
			d.install(s)
			text := d.read(c.path)
			wantParts(t, text, append(c.stays, "my tools/bridge")...)
			if strings.Contains(text, "/old/bridge") || strings.Contains(text, "BRIDGE_TOKEN") {
				t.Errorf("something old stayed:\n%s", text)
			}
			if again := d.install(s); !again.Empty() {
				t.Errorf("installing again changes:\n%s", again.Diff())
			}
			d.uninstall(s)
			if diff := cmp.Diff(before, d.tree()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}

			// The same after somebody has changed the file in the meantime.
			d.install(s)
			edited := strings.Replace(d.read(c.path), "1\"", "2\"", 1)
			edited = strings.Replace(edited, `"trust": true`, `"trust": false`, 1)
			d.write(c.path, edited)
			d.uninstall(s)
			wantParts(t, d.read(c.path), "/old/bridge")
		})
	}
}

// TestMergeAddedTo checks that what somebody adds to an entry of ours is kept when it
// is updated, and is removed together with it.
func TestMergeAddedTo(t *testing.T) {
	for _, client := range agents.Clients() {
		t.Run(string(client), func(t *testing.T) {
			d := newDesk(t)
			before := d.tree()
			s := d.setup(client, agents.ScopeUser)
			d.install(s)
			old, with := `"args"`, `"timeout": 7, "args"`
			switch client {
			case agents.Codex:
				old, with = "tool_timeout_sec = 90\n", "tool_timeout_sec = 7\nenabled = true\n[mcp_servers.bridge.env]\nX = \"1\"\n"
			case agents.OpenCode:
				old, with = `"command"`, `"enabled": true, "command"`
			}
			found, err := d.Find(client, agents.ScopeUser)
			if err != nil {
				t.Fatal(err)
			}
			path := strings.TrimPrefix(found.Path, d.root)
			d.write(path, strings.Replace(d.read(path), old, with, 1))
			newer := s
			newer.Program = absolute("/opt/newer/bridge")
			d.install(newer)
			text := d.read(path)
			wantParts(t, text, "newer/bridge", strings.Split(with, "\n")[0])
			if strings.Contains(text, "my tools") {
				t.Errorf("not brought up to date:\n%s", text)
			}
			if again := d.install(newer); !again.Empty() {
				t.Errorf("installing again changes:\n%s", again.Diff())
			}
			d.uninstall(newer)
			if diff := cmp.Diff(before, d.tree()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMergeStore checks that the hooks use the store named in the entry, unless another
// is asked for.
func TestMergeStore(t *testing.T) {
	d := newDesk(t)
	d.write("home/.claude.json", `{"mcpServers": {"bridge": {"command": "/old/bridge", "args": ["serve", "--db", "`+absolute("/srv/team.db")+`"]}}}`)
	s := d.setup(agents.Claude, agents.ScopeUser)
	d.install(s)
	wantParts(t, d.read("home/.claude/settings.json"), "hook claude --db "+absolute("/srv/team.db"))
	s.DB = absolute("/srv/other.db")
	d.install(s)
	wantParts(t, d.read("home/.claude.json"), absolute("/srv/other.db"))
	if strings.Contains(d.read("home/.claude.json")+d.read("home/.claude/settings.json"), "team.db") {
		t.Error("the store was not changed everywhere")
	}
}

func wantParts(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

// TestInstallTogether checks that concurrent installations run one after the other.
func TestInstallTogether(t *testing.T) {
	d := newDesk(t)
	before := d.tree()
	var all sync.WaitGroup
	for range 4 {
		for _, c := range agents.Clients() {
			all.Go(func() {
				if err := d.Do(t.Context(), func() error {
					plan, err := d.Install(d.setup(c, agents.ScopeUser))
					if err == nil {
						err = plan.Apply()
					}
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	for _, c := range agents.Clients() {
		if plan := d.install(d.setup(c, agents.ScopeUser)); !plan.Empty() {
			t.Errorf("%s: something is missing:\n%s", c, plan.Diff())
		}
		d.uninstall(d.setup(c, agents.ScopeUser))
	}
	if diff := cmp.Diff(before, d.tree()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
