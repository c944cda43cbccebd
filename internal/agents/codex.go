package agents

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"example.org/bridge/internal/confedit"
)

// Codex keeps servers in config.toml, and hooks either in hooks.json next to it or in
// config.toml itself; it warns if both have some. Rules for commands are files in
// rules/. Facts checked against version 0.171.0. CODEX_HOME moves the user's folder.
// The user must review new hooks once, in Codex.
//
// A server gets only a few variables of the environment, plus those named in env_vars.
// Our entry names none, because an interactive Codex takes their values from its
// background server, which has those of the terminal that started it first.

// codexToolSeconds is long enough for a call of check_messages that waits.
const codexToolSeconds = 90

var codexEvents = []string{"SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"}

// codexTargets returns the targets for Codex. It reads config.toml in order to put
// hooks where others are.
func codexTargets(s Setup, p Place, config []byte) ([]target, error) {
	folder := p.codexFolder(s.Scope)
	inline, err := inlineHooks(config)
	if err != nil {
		return nil, err
	}
	main := target{path: filepath.Join(folder, "config.toml"), format: tomlTables}
	main.tables = []table{{path: []string{"mcp_servers", s.Name}, text: codexServer(s)}}
	if s.AllowTools {
		main.tables = append(main.tables, s.codexAllows()...)
	}
	targets := []target{main}
	hooks := target{path: filepath.Join(folder, "hooks.json"), format: strictJSON}
	for _, event := range codexEvents {
		if inline {
			targets[0].tables = append(targets[0].tables, table{path: []string{"hooks", event}, hook: s.codexHookCommand(), text: codexHook(s, event)})
			continue
		}
		hooks.entries = append(hooks.entries, hookEntry(event, s.codexHookCommand(), confedit.Member{Name: "timeout", Value: hookSeconds}))
	}
	if s.GuardClaims && inline {
		targets[0].tables = append(targets[0].tables, s.guardTable())
	}
	if s.GuardClaims && !inline {
		hooks.entries = append(hooks.entries, s.guardEntry(confedit.Member{Name: "timeout", Value: hookSeconds}))
	}
	if !inline {
		targets = append(targets, hooks)
	}
	if s.DenyRules {
		targets = append(targets, target{path: codexRules(folder), format: ownText, text: codexRuleText(s)})
	}
	return targets, nil
}

func (p Place) codexFolder(scope Scope) string {
	if scope == ScopeProject {
		return filepath.Join(p.Dir, ".codex")
	}
	return p.folder("CODEX_HOME", ".codex")
}

func codexRules(folder string) string { return filepath.Join(folder, "rules", "bridge.rules") }

// inlineHooks reports whether config.toml itself has hooks. The table hooks.state does
// not count: Codex keeps its notes about reviewed hooks there.
func inlineHooks(config []byte) (bool, error) {
	document, err := confedit.ReadTOML(config)
	if err != nil {
		return false, err
	}
	hooks, _ := document["hooks"].(map[string]any)
	for event := range hooks {
		if event != "state" {
			return true, nil
		}
	}
	return false, nil
}

func codexServer(s Setup) string {
	return fmt.Sprintf("[mcp_servers.%s]\ncommand = %s\nargs = %s\ntool_timeout_sec = %d\n",
		s.Name, tomlText(s.Program), tomlList(s.serveArgs()), codexToolSeconds)
}

func codexHook(s Setup, event string) string {
	return fmt.Sprintf("[[hooks.%s]]\n\n[[hooks.%s.hooks]]\ntype = \"command\"\ncommand = %s\ntimeout = %d\n",
		event, event, tomlText(s.codexHookCommand()), hookSeconds)
}

// codexHookCommand returns the command of a hook. With Wake, that hook also starts a
// process that waits for mail.
func (s Setup) codexHookCommand() string {
	if s.Wake {
		return s.hookCommand("--wake")
	}
	return s.hookCommand()
}

func codexRuleText(s Setup) string {
	var b strings.Builder
	b.WriteString(ownHeader(s))
	for _, program := range []string{"bridge", s.Program} {
		fmt.Fprintf(&b, "prefix_rule(\n    pattern = [%q, %s],\n    decision = \"forbidden\",\n    justification = %q,\n)\n",
			program, tomlList(deniedWords), denyReason)
	}
	return b.String()
}

// tomlText quotes a string for TOML and Starlark.
func tomlText(text string) string { return strconv.Quote(text) }

func tomlList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = tomlText(item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
