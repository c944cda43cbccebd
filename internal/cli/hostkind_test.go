package cli_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/cli"
)

// TestHostKinds checks which processes count as shared hosts, and for which of them all
// sessions use one server. The arguments were observed.
func TestHostKinds(t *testing.T) {
	for _, c := range []struct {
		line              string
		title             string // beginning of the title; empty for a process with one session
		oneServer, editor bool
	}{
		{"codex app-server --managed-daemon", "Codex's background server", true, false},
		{"claude daemon run", "Claude Code's background service", false, false},
		{"/usr/bin/node /n/node_modules/cline/dist/cline --cline-hub-daemon --cwd /p", "Cline's hub", false, false},
		{"opencode serve --port 0", "opencode's server", true, false},
		{"opencode web", "opencode's server", true, false},
		{"opencode --port 4096", "opencode's server", true, false},
		{"opencode /p --mdns", "opencode's server", true, false},
		{"opencode --hostname=0.0.0.0", "opencode's server", true, false},
		{"opencode acp", "opencode in an editor", true, true},
		{"opencode", "", false, false},
		{"opencode run --port 4096 hello", "", false, false},
		{"opencode run serve", "", false, false},
		{"node /n/@qwen-code/qwen-code/cli-entry.js serve", "Qwen Code's server", true, false},
		{"node /n/@qwen-code/qwen-code/cli-entry.js --acp", "Qwen Code in an editor", true, true},
		{"qwen -p hello", "", false, false},
		{"node /n/@google/gemini-cli/bundle/gemini.js --experimental-acp", "Gemini CLI in an editor", false, true},
		{"copilot --acp --allow-all-tools", "Copilot CLI in an editor", false, true},
		{"goose --acp", "goose in an editor", true, true},
		{"vim --acp", "", false, false},
		{"", "", false, false},
	} {
		title, oneServer, editor := cli.HostKind(strings.Fields(c.line)...)
		if !strings.HasPrefix(title, c.title) || (title == "") != (c.title == "") || oneServer != c.oneServer || editor != c.editor {
			t.Errorf("%q is %q, one server: %t, editor: %t", c.line, title, oneServer, editor)
		}
	}
}
