package agents

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"example.org/bridge/internal/confedit"
)

// Gemini CLI keeps servers and hooks in settings.json, and rules for tools as TOML
// files in a folder of policies. Facts checked against version 0.61.0: it accepts
// comments in settings.json, but no trailing comma and no byte order mark; timeouts are
// in milliseconds; it ignores a project's policies, and entries in tools.exclude that
// do not name a whole tool.

const hookMilliseconds = hookSeconds * 1000

var geminiEvents = []string{"SessionStart", "BeforeAgent", "AfterTool", "AfterAgent"}

var errGeminiProjectRules = errors.New("rules in a project are ignored by Gemini CLI: install them with --scope user")

func geminiTargets(s Setup, p Place) ([]target, error) {
	folder := p.geminiFolder(s.Scope)
	settings := target{path: filepath.Join(folder, "settings.json"), format: commentedJSON, entries: []entry{{
		path: []string{"mcpServers", s.Name},
		value: confedit.Object{
			{Name: "command", Value: s.Program},
			{Name: "args", Value: anySlice(s.serveArgs())},
		},
	}}}
	for _, event := range geminiEvents {
		settings.entries = append(settings.entries, hookEntry(event, s.hookCommand(),
			confedit.Member{Name: "name", Value: DefaultName}, confedit.Member{Name: "timeout", Value: hookMilliseconds}))
	}
	if s.GuardClaims {
		settings.entries = append(settings.entries, s.guardEntry(
			confedit.Member{Name: "name", Value: DefaultName}, confedit.Member{Name: "timeout", Value: hookMilliseconds}))
	}
	targets := []target{settings}
	if s.DenyRules || s.AllowTools {
		if s.Scope == ScopeProject {
			return nil, errGeminiProjectRules
		}
		targets = append(targets, target{path: geminiPolicy(folder), format: ownText, text: geminiRules(s)})
	}
	return targets, nil
}

func (p Place) geminiFolder(scope Scope) string {
	if scope == ScopeProject {
		return filepath.Join(p.Dir, ".gemini")
	}
	home := p.Home
	if moved := p.Getenv("GEMINI_CLI_HOME"); moved != "" {
		home = moved
	}
	return filepath.Join(home, ".gemini")
}

func geminiPolicy(folder string) string { return filepath.Join(folder, "policies", "bridge.toml") }

// geminiPriority is higher than that of any other rule of the user.
const geminiPriority = 999

// geminiRules returns the policy file: commands that are denied, and tools that are
// allowed without asking.
func geminiRules(s Setup) string {
	text := ownHeader(s)
	if s.DenyRules {
		text += s.geminiDenies()
	}
	if s.AllowTools {
		text += s.geminiAllows()
	}
	return text
}

func (s Setup) geminiDenies() string {
	var prefixes []string
	for _, words := range s.deniedCommands() {
		prefixes = append(prefixes, strconv.Quote(shellOf(Gemini, runtime.GOOS).line(words)))
	}
	return fmt.Sprintf(`[[rule]]
toolName = "run_shell_command"
commandPrefix = [%s]
decision = "deny"
priority = %d
denyMessage = %q
`, strings.Join(prefixes, ", "), geminiPriority, denyReason)
}

// denyReason is shown to the agent.
const denyReason = "These commands are the operator's. Use the bridge's tools instead."

// ownHeader is the first line of files that contain nothing but our entries.
func ownHeader(s Setup) string {
	return fmt.Sprintf("# Written by `bridge install %s`; `bridge uninstall %s` removes it.\n", s.Client, s.Client)
}
