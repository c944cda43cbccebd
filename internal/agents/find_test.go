package agents_test

import (
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/agents"
)

// TestFindLocal checks that an entry made by `claude mcp add` for one folder is found
// for that folder only.
func TestFindLocal(t *testing.T) {
	d := newDesk(t)
	projects := map[string]any{
		d.Place.Dir:  map[string]any{"mcpServers": map[string]any{"bridge": map[string]any{"command": "/opt/bridge", "args": []string{"serve"}}}},
		d.Place.Home: map[string]any{"mcpServers": map[string]any{"elsewhere": map[string]any{"command": "bridge"}}},
	}
	text, err := json.Marshal(map[string]any{"projects": projects})
	if err != nil {
		t.Fatal(err)
	}
	d.write("home/.claude.json", string(text))
	found, err := d.Find(agents.Claude, agents.ScopeLocal)
	if err != nil || len(found.Servers) != 1 || found.Servers[0].Name != "bridge" {
		t.Errorf("found %+v, %v", found, err)
	}
	if found, _ := d.Find(agents.Claude, agents.ScopeUser); len(found.Servers) != 0 {
		t.Errorf("found for the user: %+v", found)
	}
}

// TestFindSwitches checks that disabled hooks, and hooks that Codex still wants
// reviewed, are reported.
func TestFindSwitches(t *testing.T) {
	for name, test := range map[string]struct {
		client          agents.Client
		path, text      string
		off, unreviewed bool
	}{
		"claude":   {agents.Claude, "home/.claude/settings.json", `{"disableAllHooks": true}`, true, false},
		"gemini":   {agents.Gemini, "home/.gemini/settings.json", `{"hooksConfig": {"enabled": false}}`, true, false},
		"codex":    {agents.Codex, "home/.codex/config.toml", "[features]\nhooks = false\n", true, true},
		"codex on": {agents.Codex, "home/.codex/config.toml", "", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.write(test.path, test.text)
			d.install(d.setup(test.client, agents.ScopeUser))
			found, err := d.Find(test.client, agents.ScopeUser)
			if err != nil || found.HooksOff != test.off || found.Unreviewed != test.unreviewed {
				t.Errorf("found %+v, %v", found, err)
			}
		})
	}
}

func TestFindReviewed(t *testing.T) {
	d := newDesk(t)
	d.install(d.setup(agents.Codex, agents.ScopeUser))
	config := d.read("home/.codex/config.toml")
	d.write("home/.codex/config.toml", config+"\n[hooks.state.\""+d.root+"/home/.codex/hooks.json:stop:0:0\"]\ntrusted_hash = \"sha256:00\"\n")
	found, err := d.Find(agents.Codex, agents.ScopeUser)
	if err != nil || found.Unreviewed {
		t.Errorf("found %+v, %v", found, err)
	}
}

// TestEnvironment checks which variables a client passes on to a server, and which
// store the server then uses.
func TestEnvironment(t *testing.T) {
	environ := []string{"HOME=/home/x", "BRIDGE_DB=/env.db", "XDG_STATE_HOME=/state", "OTHER=1"}
	for name, test := range map[string]struct {
		client agents.Client
		server agents.Server
		want   []string
		store  string
		loses  bool
	}{
		"all":       {agents.Claude, agents.Server{}, environ, "/env.db", false},
		"few":       {agents.Codex, agents.Server{}, []string{"HOME=/home/x"}, "", true},
		"named":     {agents.Codex, agents.Server{EnvVars: []any{"XDG_STATE_HOME"}}, []string{"HOME=/home/x", "XDG_STATE_HOME=/state"}, "", false},
		"own":       {agents.Codex, agents.Server{Env: map[string]string{"BRIDGE_DB": "/own.db", "LD_PRELOAD": "/evil.so"}}, []string{"HOME=/home/x", "BRIDGE_DB=/own.db"}, "/own.db", true},
		"arguments": {agents.Gemini, agents.Server{Args: []string{"serve", "--db", "/args.db"}}, environ, "/args.db", false},
		"joined":    {agents.Gemini, agents.Server{Args: []string{"serve", "--db=/args.db"}}, environ, "/args.db", false},
	} {
		t.Run(name, func(t *testing.T) {
			found := agents.Found{Client: test.client}
			if diff := cmp.Diff(test.want, found.Environment(test.server, environ)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := found.Store(test.server, environ); got != test.store {
				t.Errorf("store %q, want %q", got, test.store)
			}
			if got := found.Loses(test.server, "XDG_STATE_HOME", environ); got != test.loses {
				t.Errorf("loses %v", got)
			}
		})
	}
}

// TestPresent checks that a client counts as present if its program or its folder
// exists.
func TestPresent(t *testing.T) {
	for _, c := range agents.Clients() {
		d := newDesk(t)
		found := func(name string) (string, error) { return "/bin/" + name, nil }
		missing := func(string) (string, error) { return "", fs.ErrNotExist }
		if d.Place.Present(c, missing) {
			t.Errorf("%s is nowhere", c)
		}
		if !d.Place.Present(c, found) {
			t.Errorf("the program of %s is there", c)
		}
		d.install(d.setup(c, agents.ScopeUser))
		if !d.Place.Present(c, missing) {
			t.Errorf("the folder of %s is there", c)
		}
	}
}
