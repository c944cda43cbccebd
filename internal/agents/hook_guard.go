package agents

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/claims"
	"example.org/bridge/internal/confedit"
)

// Guarding: before one of the client's own tools writes, a hook checks whether another
// agent has claimed one of the files. Checked against Claude Code 2.1.332, Codex
// 0.171.0 and Gemini CLI 0.61.0: in all three, a hook that exits with code 2 keeps the
// tool from running, and the agent reads the hook's standard error. After any other
// exit code the tool runs.

// ExitGuarded is the exit code with which a hook prevents a tool from running.
const ExitGuarded = 2

// guardEvent is the client's name for the event before a tool runs.
func (c Client) guardEvent() string {
	if c == Gemini {
		return "BeforeTool"
	}
	return "PreToolUse"
}

// guardMatcher matches the client's tools that write files.
func (c Client) guardMatcher() string {
	switch c {
	case Gemini:
		return "write_file|replace|run_shell_command"
	case Codex:
		return "apply_patch|Bash|shell|exec_command"
	}
	return "Edit|Write|MultiEdit|NotebookEdit|Bash"
}

func (s Setup) guardCommand() string { return s.hookCommand("--guard") }

// guards reports whether a hook's command is a guarding one.
func guards(command string) bool { return strings.Contains(command, " --guard") }

// guardEntry returns the hook for a JSON file.
func (s Setup) guardEntry(more ...confedit.Member) entry {
	e := hookEntry(s.Client.guardEvent(), s.guardCommand(), more...)
	group, _ := e.value.(confedit.Object)
	e.value = append(confedit.Object{{Name: "matcher", Value: s.Client.guardMatcher()}}, group...)
	return e
}

// guardTable returns the hook for a TOML file.
func (s Setup) guardTable() table {
	event := s.Client.guardEvent()
	return table{path: []string{"hooks", event}, hook: s.guardCommand(), text: fmt.Sprintf(
		"[[hooks.%s]]\nmatcher = %s\n\n[[hooks.%s.hooks]]\ntype = \"command\"\ncommand = %s\ntimeout = %d\n",
		event, tomlText(s.Client.guardMatcher()), event, tomlText(s.guardCommand()), hookSeconds)}
}

// GuardRefusal is the text for an agent that may not change a file. It contains no text
// from the holder.
func GuardRefusal(held *claims.HeldError) string {
	return noticeMark + "Nothing was changed: " + held.Error() +
		". Work on something else, ask the holder with send_to_partner, or claim the file yourself with claim_file when it is free."
}

// GuardOff is the text for the user, shown once in a session, when claims could not be
// checked.
const GuardOff = noticeMark + "The claims on files could not be read, so edits are not checked against them: run \"bridge doctor\" to see why."
