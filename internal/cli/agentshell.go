package cli

import (
	"path/filepath"
	"strings"
)

// agentVariables are environment variables that agents set in the shells in which they
// run commands.
var agentVariables = []struct{ name, who string }{
	{"CLAUDECODE", "Claude Code"},
	{"CLAUDE_CODE_ENTRYPOINT", "Claude Code"},
	{"CODEX_SANDBOX", "Codex CLI"},
	{"CODEX_SANDBOX_NETWORK_DISABLED", "Codex CLI"},
	{"CODEX_THREAD_ID", "Codex CLI"},
	{"CODEX_CI", "Codex CLI"},
	{"GEMINI_CLI", "Gemini CLI"},
	{"QWEN_CODE", "Qwen Code"},
	{"CURSOR_AGENT", "Cursor"},
	{"AUGMENT_AGENT", "Augment"},
	{"CLINE_ACTIVE", "Cline"},
	{"ROO_ACTIVE", "Roo Code"},
	{"OPENCODE", "OpenCode"},
	{"OPENCODE_CLIENT", "OpenCode"},
	{"TRAE_AI_SHELL_ID", "TRAE"},
	{"GOOSE_TERMINAL", "goose"},
	{"COPILOT_CLI", "Copilot CLI"},
	{"REPLIT_AGENT", "Replit"},
	{"AGENT", "the common variable for agents"},
	{"AI_AGENT", "the common variable for agents"},
}

// agentVariable returns the name of a variable that marks this shell as an agent's, or
// "".
func agentVariable(lookup func(string) (string, bool)) string {
	for _, v := range agentVariables {
		if value, set := lookup(v.name); set && value != "" {
			return v.name
		}
	}
	return ""
}

// agentPrograms are the file names of agents' programs.
var agentPrograms = map[string]bool{
	"claude": true, "codex": true, "gemini": true, "qwen": true, "cursor-agent": true, "opencode": true,
	"goose": true, "aider": true, "crush": true, "amp": true, "copilot": true, "auggie": true, "cline": true,
	"droid": true, "kilocode": true, "plandex": true,
}

// agentPackages are folders of agents that run in an interpreter.
var agentPackages = []string{
	"/@anthropic-ai/claude-code/", "/@openai/codex/", "/@google/gemini-cli/", "/@qwen-code/", "/@github/copilot/",
	"/@sourcegraph/amp/", "/opencode-ai/", "/@augmentcode/auggie/", "/aider/",
}

// maxParents limits how many ancestors are examined; a real chain is far shorter.
const maxParents = 64

// agentParent returns the name of an agent among the ancestors of this process, or "".
// The bridge's own server counts as one, since whatever it started belongs to an agent.
func agentParent(parents func() ([][]string, error)) (string, error) {
	chain, err := parents()
	if err != nil {
		return "", err
	}
	for _, arguments := range chain {
		if name := agentOf(arguments); name != "" {
			return name, nil
		}
	}
	return "", nil
}

// agentOf returns the agent's name if a process with these arguments is an agent.
func agentOf(arguments []string) string {
	for i, argument := range arguments {
		if i > 2 {
			break // the program is among the first three, after an interpreter's options
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(argument), "-"), ".js")
		if (i == 0 || strings.Contains(argument, "/")) && agentPrograms[name] {
			return name
		}
		for _, folder := range agentPackages {
			if strings.Contains(argument, folder) {
				return strings.Trim(folder, "/")
			}
		}
	}
	if len(arguments) > 1 && filepath.Base(arguments[0]) == "bridge" && arguments[1] == "serve" {
		return "bridge serve"
	}
	return ""
}
