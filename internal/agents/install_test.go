package agents_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/agents"
)

// configurations are typical configuration files, by their path under the root.
var configurations = map[string]map[string]string{
	"nothing": {},
	"empty files": {
		"home/.claude.json": "", "home/.claude/settings.json": "\n", "home/.codex/config.toml": "", "home/.codex/hooks.json": "",
		"home/.gemini/settings.json": " \n", "project/.mcp.json": "",
	},
	"comments, tabs, others' entries": {
		"home/.claude.json":               "{\n\t\"numStartups\": 3,\n\t\"mcpServers\": {\n\t\t\"other\": {\"command\": \"x\"}\n\t}\n}\n",
		"home/.claude/settings.json":      "{\n\t// mine\n\t\"hooks\": {\n\t\t\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"say done\"}]}] // done\n\t},\n\t\"permissions\": {\"deny\": [\"Bash(rm:*)\"]}\n}\n",
		"home/.codex/config.toml":         "# mine\nmodel = \"x\"\n\n[mcp_servers.other] # the other\ncommand = \"x\"\n",
		"home/.codex/hooks.json":          "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"say done\"}]}]}}",
		"home/.gemini/settings.json":      "{\n\t/* mine */\n\t\"mcpServers\": {},\n\t\"hooks\": {\"AfterAgent\": []},\n}\n",
		"home/.gemini/policies/mine.toml": "[[rule]]\n",
		"project/.mcp.json":               "{\"mcpServers\":{}}",
		"project/.gemini/settings.json":   "{}",
		"project/.codex/config.toml":      "[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = \"command\"\ncommand = \"say done\"\n",
	},
	"CRLF, byte order mark, four spaces": {
		"home/.claude.json":          "\ufeff{\r\n    \"a\": [\r\n        1\r\n    ]\r\n}\r\n",
		"home/.claude/settings.json": "{\r\n    \"a\": 1\r\n}",
		"home/.codex/config.toml":    "\ufeffmodel = \"x\"\r\n[hooks.state.x]\r\nenabled = true\r\n",
		"home/.gemini/settings.json": "{\r\n    \"a\": {}\r\n}\r\n\r\n",
	},
	"duplicate keys elsewhere": {
		"home/.claude.json":          `{"a": 1, "a": 2}`,
		"home/.claude/settings.json": `{"a": {"b": 1, "b": 1}, "a": {}}`,
		"home/.gemini/settings.json": `{"a": 1, "a": 2}`,
	},
}

// TestInstallAndUninstall checks that uninstall reverts everything that install
// changes, byte for byte: files, modes, folders, backups.
func TestInstallAndUninstall(t *testing.T) {
	for name, files := range configurations {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, d *desk, s agents.Setup) {
				for path, text := range files {
					d.write(path, text)
				}
				before := d.tree()
				plan := d.install(s)
				if plan.Empty() || plan.Diff() == "" || plan.Backup() == "" {
					t.Error("nothing was installed")
				}
				installed := d.tree()
				if cmp.Equal(before, installed) {
					t.Fatal("nothing changed")
				}
				again := d.install(s)
				if !again.Empty() || again.Diff() != "" {
					t.Errorf("installing again changes:\n%s", again.Diff())
				}
				if diff := cmp.Diff(installed, d.tree()); diff != "" {
					t.Errorf("installing again (-want +got):\n%s", diff)
				}
				found, err := d.Find(s.Client, s.Scope)
				if err != nil || len(found.Servers) != 1 || found.Servers[0].Command != s.Program || s.Client.Hooked() != (len(found.Hooks) >= 4) {
					t.Errorf("found %+v, %v", found, err)
				}
				if d.uninstall(s).Empty() {
					t.Error("nothing to uninstall")
				}
				if diff := cmp.Diff(before, d.tree()); diff != "" {
					t.Errorf("after uninstall (-want +got):\n%s", diff)
				}
				if !d.uninstall(s).Empty() {
					t.Error("uninstalling again changes something")
				}
			})
		})
	}
}

// TestUninstallKeepsEdits checks that changes made by others in the meantime stay, byte
// for byte.
func TestUninstallKeepsEdits(t *testing.T) {
	everywhere(t, func(t *testing.T, d *desk, s agents.Setup) {
		for path, text := range configurations["comments, tabs, others' entries"] {
			d.write(path, text)
		}
		edit := func() {
			for path, original := range configurations["comments, tabs, others' entries"] {
				text := d.read(path)
				switch {
				case strings.HasSuffix(path, ".toml"):
					text = "# new\n" + text
				case strings.Contains(original, "\n"):
					text = strings.Replace(text, "{\n", "{\n\t\"new\": true,\n", 1)
				}
				d.write(path, text)
			}
		}
		edit()
		want := d.tree()
		for path, text := range configurations["comments, tabs, others' entries"] {
			d.write(path, text)
		}
		d.install(s)
		edit()
		d.uninstall(s)
		if diff := cmp.Diff(want, d.tree()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestUninstallAfterRewrite checks that our entry is removed, and the client's own
// entries are kept, after the client has rewritten its file.
func TestUninstallAfterRewrite(t *testing.T) {
	d := newDesk(t)
	s := d.setup(agents.Claude, agents.ScopeUser)
	d.install(s)
	d.write("home/.claude.json", `{"numStartups":1,"mcpServers":{"bridge":{"type":"stdio","command":"/opt/my tools/bridge","args":["serve"],"env":{}}},"x":{}}`)
	d.write("home/.claude/settings.json", `{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"say"},{"type":"command","command":"'/opt/my tools/bridge' hook claude"}]}]}}`)
	d.uninstall(s)
	if got, want := d.read("home/.claude.json"), `{"numStartups":1,"x":{}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := d.read("home/.claude/settings.json"), `{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"say"}]}]}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestUninstallWithoutReceipt checks that our entries are recognised by their content.
func TestUninstallWithoutReceipt(t *testing.T) {
	everywhere(t, func(t *testing.T, d *desk, s agents.Setup) {
		for path, text := range configurations["comments, tabs, others' entries"] {
			d.write(path, text)
		}
		d.install(s)
		if err := os.RemoveAll(d.State); err != nil {
			t.Fatal(err)
		}
		d.uninstall(s)
		for path, text := range d.tree() {
			if strings.Contains(text, "hook "+string(s.Client)) || strings.Contains(text, "/opt/my tools") || strings.Contains(text, "bridge serve") {
				t.Errorf("%s still has something of ours: %s", path, text)
			}
		}
	})
}

// TestHandMade checks that uninstall keeps an entry that somebody made by hand.
func TestHandMade(t *testing.T) {
	d := newDesk(t)
	s := d.setup(agents.Codex, agents.ScopeUser)
	s.Program, s.AllowTools = absolute("/opt/bridge"), false
	config := "[mcp_servers.bridge]\ncommand = \"" + s.Program + "\"\nargs = [\"serve\"]\n"
	d.write("home/.codex/config.toml", config)
	before := d.tree()
	d.install(s)
	if got := d.read("home/.codex/config.toml"); got != config {
		t.Errorf("the entry was changed: %s", got)
	}
	d.uninstall(s)
	if diff := cmp.Diff(before, d.tree()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUpdate checks that installing with other settings replaces the entries, and that
// uninstall still restores the original files.
func TestUpdate(t *testing.T) {
	everywhere(t, func(t *testing.T, d *desk, s agents.Setup) {
		for path, text := range configurations["comments, tabs, others' entries"] {
			d.write(path, text)
		}
		before := d.tree()
		d.install(s)
		s.Program, s.DB, s.DenyRules = absolute("/usr/local/bin/bridge"), absolute("/srv/bridge.db"), false
		d.install(s)
		for path, text := range d.tree() {
			if !strings.Contains(path, "/state/") && strings.Contains(text, "/opt/my tools") {
				t.Errorf("%s still has the old program: %s", path, text)
			}
		}
		d.uninstall(s)
		if diff := cmp.Diff(before, d.tree()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestTogether checks that clients can be installed and uninstalled in any order
// without leaving anything behind.
func TestTogether(t *testing.T) {
	d := newDesk(t)
	before := d.tree()
	for _, c := range agents.Clients() {
		d.install(d.setup(c, agents.ScopeUser))
	}
	for _, c := range agents.Clients() {
		d.uninstall(d.setup(c, agents.ScopeUser))
	}
	if diff := cmp.Diff(before, d.tree()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRefused checks that an installation that cannot be completed changes nothing.
func TestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		client     agents.Client
		path, text string
		want       string
	}{
		"broken":          {agents.Claude, "home/.claude/settings.json", `{"a": }`, "line 1: is not JSON"},
		"broken TOML":     {agents.Codex, "home/.codex/config.toml", "a = \n", "line 1: is not TOML"},
		"broken hooks":    {agents.Codex, "home/.codex/hooks.json", "{", "is not JSON"},
		"no object":       {agents.Gemini, "home/.gemini/settings.json", "[]", "does not hold a JSON object"},
		"other server":    {agents.Claude, "home/.claude.json", `{"mcpServers": {"bridge": {"command": "/bin/cat"}}}`, "another server called bridge"},
		"other in TOML":   {agents.Codex, "home/.codex/config.toml", "[mcp_servers.bridge]\nurl = \"http://x\"\n", "another server called bridge"},
		"twice":           {agents.Claude, "home/.claude/settings.json", `{"hooks": {}, "hooks": {}}`, "occurs twice"},
		"wrong shape":     {agents.Gemini, "home/.gemini/settings.json", `{"hooks": {"AfterAgent": {}}}`, "is not a list"},
		"foreign rules":   {agents.Codex, "home/.codex/rules/bridge.rules", "x", "not written by bridge"},
		"inline servers":  {agents.Codex, "home/.codex/config.toml", "# mine\nmcp_servers = {other = {command = \"x\"}}\n", "line 2: mcp_servers is written inline: write it as a table under [mcp_servers.bridge]"},
		"inline bridge":   {agents.Codex, "home/.codex/config.toml", "[mcp_servers]\nbridge = {command = \"/old/bridge\"}\n", "line 2: mcp_servers.bridge is written inline"},
		"inline hooks":    {agents.Codex, "home/.codex/config.toml", "hooks = {Stop = []}\n", "line 1: hooks is written inline"},
		"array of tables": {agents.Codex, "home/.codex/config.toml", "[[mcp_servers]]\n", "written inline"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.write(test.path, test.text)
			before := d.tree()
			_, err := d.Install(d.setup(test.client, agents.ScopeUser))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), filepath.Join(d.root, test.path)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if diff := cmp.Diff(before, d.tree()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLinkAndMode checks that a link stays a link, and that a file keeps its mode.
func TestLinkAndMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: needs links and modes")
	}
	d := newDesk(t)
	s := d.setup(agents.Claude, agents.ScopeUser)
	d.write("dotfiles/claude.json", "{}\n")
	if err := os.Chmod(filepath.Join(d.root, "dotfiles/claude.json"), 0o604); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../dotfiles/claude.json", filepath.Join(d.root, "home/.claude.json")); err != nil {
		t.Fatal(err)
	}
	before := d.tree()
	d.install(s)
	installed := d.tree()
	if installed["/home/.claude.json"] != before["/home/.claude.json"] || !strings.HasPrefix(installed["/dotfiles/claude.json"], "-rw----r-- {\n") {
		t.Errorf("link or mode changed: %v", maps.Collect(maps.All(installed)))
	}
	d.uninstall(s)
	if diff := cmp.Diff(before, d.tree()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFailureTakesBack checks that the first file is restored if the second cannot be
// written.
func TestFailureTakesBack(t *testing.T) {
	for name, spoil := range map[string]func(*desk) error{
		"read-only": func(d *desk) error { return os.Chmod(filepath.Join(d.root, "home/.claude/settings.json"), 0o400) },
		"changed meanwhile": func(d *desk) error {
			return os.WriteFile(filepath.Join(d.root, "home/.claude/settings.json"), []byte(`{"new": 1}`), 0o640)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.write("home/.claude.json", "{}\n")
			d.write("home/.claude/settings.json", "{}\n")
			plan, err := d.Install(d.setup(agents.Claude, agents.ScopeUser))
			if err != nil {
				t.Fatal(err)
			}
			if err := spoil(d); err != nil {
				t.Fatal(err)
			}
			before := d.tree()
			var file *agents.FileError
			if err := plan.Apply(); !errors.As(err, &file) {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(before, d.tree()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSetupCheck(t *testing.T) {
	good := agents.Setup{Name: "bridge", Program: absolute("/opt/bridge")}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*agents.Setup){
		"relative":      func(s *agents.Setup) { s.Program = "bridge" },
		"line break":    func(s *agents.Setup) { s.Program += "\n" },
		"relative db":   func(s *agents.Setup) { s.DB = "x.db" },
		"name":          func(s *agents.Setup) { s.Name = `x"y` },
		"dotted name":   func(s *agents.Setup) { s.Name = "a.b" },
		"no hooks":      func(s *agents.Setup) { s.Client, s.GuardClaims = agents.OpenCode, true },
		"invalid UTF-8": func(s *agents.Setup) { s.Program += "\xff" },
	} {
		bad := good
		change(&bad)
		if bad.Check() == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// TestTools checks that the groups of tools are written into a new or an existing
// entry, and removed when they are no longer asked for. Everything else in the entry is
// kept.
func TestTools(t *testing.T) {
	for _, c := range agents.Clients() {
		t.Run(string(c), func(t *testing.T) {
			d := newDesk(t)
			plain := d.setup(c, agents.ScopeUser)
			before := d.tree()
			d.install(plain)
			named := plain
			named.Tools = "core,files"
			d.install(named)
			if !d.serves(c, "--tools", "core,files") {
				t.Errorf("the server is not told: %v", d.tree())
			}
			if again := d.install(named); !again.Empty() {
				t.Errorf("installing again changes:\n%s", again.Diff())
			}
			d.install(plain)
			if d.serves(c, "--tools") {
				t.Error("the server is still told")
			}
			d.uninstall(plain)
			if diff := cmp.Diff(before, d.tree()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	d := newDesk(t)
	d.write("home/.claude.json", `{"mcpServers": {"bridge": {"command": "bridge", "args": ["serve", "--tools", "core"]}}}`)
	s := d.setup(agents.Claude, agents.ScopeUser)
	d.install(s)
	if !d.serves(agents.Claude, "--tools", "core") {
		t.Error("what its owner entered is gone")
	}
}

// serves reports whether the arguments of the client's server contain words as a
// sequence.
func (d *desk) serves(c agents.Client, words ...string) bool {
	d.Helper()
	found, err := d.Find(c, agents.ScopeUser)
	if err != nil || len(found.Servers) != 1 {
		d.Fatal(err, found.Servers)
	}
	args := found.Servers[0].Args
	at := slices.Index(args, words[0])
	return at >= 0 && len(args) >= at+len(words) && slices.Equal(args[at:at+len(words)], words)
}

// FuzzInstallJSON checks that install and uninstall restore any valid JSON file, or
// refuse it.
func FuzzInstallJSON(f *testing.F) {
	for _, files := range configurations {
		for path, text := range files {
			if strings.HasSuffix(path, ".json") {
				f.Add(text)
			}
		}
	}
	f.Add(`{"hooks": {"Stop": [{"hooks": [{"command": "bridge hook claude"}]}]}, "permissions": {"deny": ["Bash(bridge yolo:*)"]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d := newDesk(t)
		d.write("home/.claude.json", text)
		d.write("home/.claude/settings.json", text)
		d.roundTrip(d.setup(agents.Claude, agents.ScopeUser))
	})
}

// FuzzInstallTOML checks the same for Codex.
func FuzzInstallTOML(f *testing.F) {
	for _, files := range configurations {
		for path, text := range files {
			if strings.HasSuffix(path, ".toml") {
				f.Add(text)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := newDesk(t)
		d.write("home/.codex/config.toml", text)
		d.roundTrip(d.setup(agents.Codex, agents.ScopeUser))
	})
}

func (d *desk) roundTrip(s agents.Setup) {
	before := d.tree()
	plan, err := d.Install(s)
	if err == nil {
		if err := plan.Apply(); err != nil {
			d.Fatal(err)
		}
		if again := d.install(s); !again.Empty() {
			d.Fatalf("installing again changes:\n%s", again.Diff())
		}
		// The result of recognising entries by their content must parse, too.
		if _, err := d.Find(s.Client, s.Scope); err != nil {
			d.Fatal(err)
		}
		d.uninstall(s)
	}
	if diff := cmp.Diff(before, d.tree()); diff != "" {
		d.Fatalf("(-want +got):\n%s", diff)
	}
	if err == nil {
		d.withoutReceipt(s)
	}
}

// withoutReceipt checks that an uninstall without a receipt removes our entries and
// leaves a file that can be parsed.
func (d *desk) withoutReceipt(s agents.Setup) {
	d.install(s)
	if err := os.RemoveAll(d.State); err != nil {
		d.Fatal(err)
	}
	d.uninstall(s)
	found, err := d.Find(s.Client, s.Scope)
	if err != nil || len(found.Hooks) > 0 || slices.ContainsFunc(found.Servers, func(n agents.NamedServer) bool { return n.Name == s.Name }) {
		d.Fatalf("left: %+v, %v", found, err)
	}
}
