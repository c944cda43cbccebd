package cli_test

import (
	"testing"

	"example.org/bridge/internal/cli"
)

func TestAgentOf(t *testing.T) {
	for _, tt := range []struct {
		name      string
		arguments []string
		want      bool
	}{
		{"a program", []string{"/usr/local/bin/claude"}, true},
		{"its bare name", []string{"codex", "exec"}, true},
		{"a login shell's dash", []string{"-gemini"}, true},
		{"in an interpreter", []string{"node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"}, true},
		{"behind options", []string{"node", "--no-warnings", "/usr/lib/node_modules/@google/gemini-cli/dist/index.js"}, true},
		{"a link to it", []string{"node", "/usr/local/bin/gemini"}, true},
		{"Python", []string{"/usr/bin/python3", "/home/u/.local/bin/aider"}, true},
		{"the bridge's own server", []string{"/opt/bridge", "serve"}, true},
		{"a shell", []string{"-bash"}, false},
		{"a shell that says so", []string{"bash", "-c", "echo claude"}, false},
		{"an editor on a file of that name", []string{"vim", "claude"}, false},
		{"the operator's bridge", []string{"bridge", "yolo", "approve"}, false},
		{"a terminal", []string{"tmux: server"}, false},
		{"a kernel thread", []string{""}, false},
		{"nothing", nil, false},
	} {
		if got := cli.AgentOf(tt.arguments); (got != "") != tt.want {
			t.Errorf("%s: %q gives %q", tt.name, tt.arguments, got)
		}
	}
}

func TestAgentVariable(t *testing.T) {
	for _, name := range []string{"CLAUDECODE", "CODEX_SANDBOX", "GEMINI_CLI", "CURSOR_AGENT", "AGENT"} {
		only := func(asked string) (string, bool) { return "1", asked == name }
		if got := cli.AgentVariable(only); got != name {
			t.Errorf("%s: got %q", name, got)
		}
		empty := func(asked string) (string, bool) { return "", asked == name }
		if got := cli.AgentVariable(empty); got != "" {
			t.Errorf("an empty %s: got %q", name, got)
		}
	}
}
