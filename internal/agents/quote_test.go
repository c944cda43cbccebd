package agents_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/bridge/internal/agents"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"bridge hook claude":                {"bridge", "hook", "claude"},
		`'/opt/my tools/bridge' hook codex`: {"/opt/my tools/bridge", "hook", "codex"},
		`'/opt/it'\''s/bridge' hook codex`:  {"/opt/it's/bridge", "hook", "codex"},
		`"C:/My Tools/bridge.exe" hook x`:   {"C:/My Tools/bridge.exe", "hook", "x"},
		`& 'C:/It''s/bridge.exe' hook x`:    {"C:/It's/bridge.exe", "hook", "x"},
		`& 'C:/x/bridge.exe' --db 'C:/a b'`: {"C:/x/bridge.exe", "--db", "C:/a b"},
		`& 'C:/x/bridge.exe'; rm x`:         nil,
		"":                                  nil,
		"bridge hook claude; rm x":          nil,
		"bridge hook $(x)":                  nil,
		`bridge hook "$x"`:                  nil,
		"bridge hook claude > x":            nil,
		"bridge hook 'claude":               nil,
		"bridge hook a'b'":                  nil,
		"bridge hook a\nb":                  nil,
	} {
		got, ok := agents.Words(line)
		if diff := cmp.Diff(want, got); diff != "" || ok != (want != nil) {
			t.Errorf("%q: %v (-want +got):\n%s", line, ok, diff)
		}
	}
}

// TestShellLine checks that a hook's command line is one command to the shell that runs
// it, whatever spaces and quotes are in a path, and that it is recognised again.
func TestShellLine(t *testing.T) {
	for name, c := range map[string]struct {
		client  agents.Client
		goos    string
		program string
		want    string
	}{
		"plain":                 {agents.Claude, "linux", "/opt/bridge", "/opt/bridge hook claude --db '/my data/b.db'"},
		"blanks":                {agents.Claude, "darwin", "/Users/a b/bridge", "'/Users/a b/bridge' hook claude --db '/my data/b.db'"},
		"quote":                 {agents.Codex, "linux", "/it's/bridge", `'/it'\''s/bridge' hook codex --db '/my data/b.db'`},
		"git bash":              {agents.Claude, "windows", `C:\bin\bridge.exe`, `C:/bin/bridge.exe hook claude --db "/my data/b.db"`},
		"git bash, blanks":      {agents.Claude, "windows", `C:\My Tools\bridge.exe`, `"C:/My Tools/bridge.exe" hook claude --db "/my data/b.db"`},
		"PowerShell":            {agents.Gemini, "windows", `C:\bin\bridge.exe`, `C:/bin/bridge.exe hook gemini --db '/my data/b.db'`},
		"PowerShell, blanks":    {agents.Gemini, "windows", `C:\My Tools\bridge.exe`, `& 'C:/My Tools/bridge.exe' hook gemini --db '/my data/b.db'`},
		"PowerShell, quote":     {agents.Gemini, "windows", `C:\It's\bridge.exe`, `& 'C:/It''s/bridge.exe' hook gemini --db '/my data/b.db'`},
		"PowerShell, operators": {agents.Gemini, "windows", `C:\a,b@c\bridge.exe`, `& 'C:/a,b@c/bridge.exe' hook gemini --db '/my data/b.db'`},
	} {
		t.Run(name, func(t *testing.T) {
			words := []string{c.program, "hook", string(c.client), "--db", "/my data/b.db"}
			line := agents.ShellLine(c.client, c.goos, words...)
			if line != c.want {
				t.Errorf("got  %s\nwant %s", line, c.want)
			}
			words[0] = strings.ReplaceAll(c.program, `\`, "/")
			if read, ok := agents.Words(line); !ok || cmp.Diff(words, read) != "" {
				t.Errorf("read as %q, %t", read, ok)
			}
			if !agents.IsHook(line, c.client) {
				t.Error("it is not known again")
			}
		})
	}
	for line, want := range map[string]bool{
		`"C:\My Tools\bridge.exe" hook claude`: true,
		`C:\bin\bridge.exe hook claude`:        true,
		`/opt/bridge hook claudette`:           false,
		`/opt/other hook claude`:               false,
		`bridge hook`:                          false,
		`bridge hook claude; x`:                false,
	} {
		if agents.IsHook(line, agents.Claude) != want {
			t.Errorf("%s: not %t", line, want)
		}
	}
}
