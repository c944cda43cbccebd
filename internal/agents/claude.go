package agents

import (
	"path/filepath"
	"runtime"

	"example.org/bridge/internal/confedit"
)

// Claude Code keeps a user's servers in ~/.claude.json, and hooks and
// permissions in settings.json; a project's servers are in .mcp.json. Facts
// checked against version 2.1.332. CLAUDE_CONFIG_DIR moves both user files into
// one folder. It reads strict JSON only.

// Timeouts of hooks, in seconds. A normal hook takes a fraction of a second. The
// waiting hook sleeps in the background as long as a conversation lasts.
const (
	hookSeconds = 5
	waitSeconds = 3 * 60 * 60
)

var claudeEvents = []string{"SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"}

// claudeIdleEvents are the events after which an agent may be idle, so that something
// must wait for mail: the end of a turn, and the start of a session, which --continue
// and /clear cause too.
var claudeIdleEvents = []string{"SessionStart", "Stop"}

func claudeTargets(s Setup, p Place) []target {
	servers, settings := p.claudeFiles(s.Scope)
	server := confedit.Object{
		{Name: "type", Value: "stdio"},
		{Name: "command", Value: s.Program},
		{Name: "args", Value: anySlice(s.serveArgs())},
	}
	var entries []entry
	for _, event := range claudeEvents {
		entries = append(entries, hookEntry(event, s.hookCommand(), confedit.Member{Name: "timeout", Value: hookSeconds}))
	}
	for _, event := range claudeIdleEvents {
		entries = append(entries, hookEntry(event, s.hookCommand("--wait"),
			confedit.Member{Name: "asyncRewake", Value: true}, confedit.Member{Name: "timeout", Value: waitSeconds}))
	}
	if s.GuardClaims {
		entries = append(entries, s.guardEntry(confedit.Member{Name: "timeout", Value: hookSeconds}))
	}
	if s.DenyRules {
		for _, words := range s.deniedCommands() {
			entries = append(entries, entry{path: []string{"permissions", "deny"}, list: true, value: claudeRule(words)})
		}
	}
	if s.AllowTools {
		for _, rule := range s.claudeAllows() {
			entries = append(entries, entry{path: []string{"permissions", "allow"}, list: true, value: rule})
		}
	}
	return []target{
		{path: servers, format: strictJSON, entries: []entry{{path: []string{"mcpServers", s.Name}, value: server}}},
		{path: settings, format: strictJSON, entries: entries},
	}
}

// claudeFiles returns the paths of the files for servers and for settings.
func (p Place) claudeFiles(scope Scope) (servers, settings string) {
	if scope == ScopeProject {
		return filepath.Join(p.Dir, ".mcp.json"), filepath.Join(p.Dir, ".claude", "settings.json")
	}
	folder := p.folder("CLAUDE_CONFIG_DIR", ".claude")
	servers = filepath.Join(p.Home, ".claude.json")
	if p.Getenv("CLAUDE_CONFIG_DIR") != "" {
		servers = filepath.Join(folder, ".claude.json")
	}
	return servers, filepath.Join(folder, "settings.json")
}

// claudeRule returns a rule that denies every command beginning with words.
func claudeRule(words []string) string {
	return "Bash(" + shellOf(Claude, runtime.GOOS).line(words) + ":*)"
}

// hookEntry returns a hook in the format that all three clients share: a command and
// further members that differ by client.
func hookEntry(event, command string, more ...confedit.Member) entry {
	handler := append(confedit.Object{{Name: "type", Value: "command"}, {Name: "command", Value: command}}, more...)
	return entry{
		path:  []string{"hooks", event},
		list:  true,
		hook:  command,
		value: confedit.Object{{Name: "hooks", Value: []any{handler}}},
	}
}
