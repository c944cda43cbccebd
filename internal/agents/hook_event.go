package agents

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// HookKind is the kind of an event, independent of the client's name for it.
type HookKind int

// The kinds of events. HookOther is an event to which bridge does not respond.
const (
	HookOther HookKind = iota
	HookSessionStart
	HookPrompt
	HookAfterTool
	HookStop
)

// hookKinds maps the names of events, as given in the clients' documentation and
// schemas, to their kinds. Checked against Claude Code 2.1.329, Codex 0.169.0 and
// Gemini CLI 0.61.0. Codex uses Claude Code's names.
var hookKinds = map[string]map[string]HookKind{
	"claude": claudeHookKinds,
	"codex":  claudeHookKinds,
	"gemini": {
		"SessionStart": HookSessionStart,
		"BeforeAgent":  HookPrompt,
		"AfterTool":    HookAfterTool,
		"AfterAgent":   HookStop,
	},
}

var claudeHookKinds = map[string]HookKind{
	"SessionStart":     HookSessionStart,
	"UserPromptSubmit": HookPrompt,
	"PostToolUse":      HookAfterTool,
	"Stop":             HookStop,
}

// HookClients are the clients whose hooks bridge supports.
func HookClients() []string { return []string{"claude", "codex", "gemini"} }

// MaxHookInput is the maximum size of an event, in bytes. An event contains a tool's
// complete result; larger events are not processed.
const MaxHookInput = 4 << 20

// HookEvent holds the parts of a client's event that bridge uses.
type HookEvent struct {
	Client, Name string
	Kind         HookKind
	// Session is the client's own ID for the session.
	Session string
	// Source is how a session started: "startup", "resume", "compact", "clear".
	Source string
	// Again reports whether the agent is already continuing because a hook kept it from
	// stopping.
	Again bool
	// Helper reports an event of a subagent. Mail is not meant for it.
	Helper bool
	// Own reports whether the tool was one of the bridge's, whose result already
	// reported the mail.
	Own bool
	// Tool is the tool that the event is about, Arguments are its arguments, and Dir is
	// the folder in which the agent works.
	Tool, Dir string
	Arguments json.RawMessage
}

// ErrHookInput reports an event that is larger than MaxHookInput or MaxGuardInput.
// The rest of it was not read.
var ErrHookInput = errors.New("the event is larger than a hook reads")

// ReadHookEvent reads a client's event, which is one JSON object. It returns as soon as
// the object is complete, because some clients leave their end open; whatever follows
// is not read.
func ReadHookEvent(client string, r io.Reader) (HookEvent, error) {
	return readEvent(client, r, MaxHookInput)
}

// MaxGuardInput is MaxHookInput for guarded events, which contain the complete file
// that the agent writes.
const MaxGuardInput = 32 << 20

// ReadGuardEvent is ReadHookEvent for guarded events.
func ReadGuardEvent(client string, r io.Reader) (HookEvent, error) {
	return readEvent(client, r, MaxGuardInput)
}

func readEvent(client string, r io.Reader, most int64) (HookEvent, error) {
	limited := &io.LimitedReader{R: r, N: most}
	var input struct {
		Event   string `json:"hook_event_name"`
		Session string `json:"session_id"`
		Source  string `json:"source"`
		Again   bool   `json:"stop_hook_active"`
		Agent   string `json:"agent_id"`
		Tool    string `json:"tool_name"`
		Prompt  string `json:"prompt"`
		Dir     string `json:"cwd"`

		Arguments json.RawMessage `json:"tool_input"`
	}
	if err := json.NewDecoder(limited).Decode(&input); err != nil {
		if limited.N == 0 {
			return HookEvent{}, ErrHookInput
		}
		return HookEvent{}, errors.New("the event does not have the form of the client's events: it is not such a JSON object")
	}
	event := HookEvent{
		Client:  client,
		Name:    input.Event,
		Kind:    hookKinds[client][input.Event],
		Session: input.Session,
		Source:  input.Source,
		Again:   input.Again,
		Helper:  input.Agent != "",
		Own:     ownTool(input.Tool),

		Tool: input.Tool, Dir: input.Dir, Arguments: input.Arguments,
	}
	switch client {
	case "codex":
		event.settleNotice(input.Prompt)
	case "gemini":
		event.settleNotice(input.Prompt)
		event.Again = event.Again || event.Kind == HookStop // its events do not say whether the turn was continued by a hook
	}
	return event, nil
}

// settleNotice recognises a prompt that is a notice of ours and not from the user. A
// user's prompt would reset the counters of Decide. Gemini CLI sends the reason for
// which its agent continues as a prompt, and Codex sends the notice that wakes its
// agent as one.
func (e *HookEvent) settleNotice(prompt string) {
	ours := func(start string) bool { return strings.HasPrefix(prompt, start) }
	if e.Kind == HookPrompt && slices.ContainsFunc(noticeStarts, ours) {
		e.Kind = HookOther
	}
}

// ownTools are the tools whose results report how much mail there is. Each client adds
// the server's name in front of them in its own way.
var ownTools = []string{
	"create_conversation", "join_conversation", "send_to_partner", "check_messages", "get_history",
	"update_my_status", "check_partner_status", "list_conversations", "extend_conversation", "assign_task", "update_task", "list_tasks",
	"invite_to_conversation", "claim_file", "release_file",
	"file_read", "file_write", "file_edit", "log_step",
}

// ownTool reports whether a tool is one of the bridge's, whatever the server's name:
// mcp__bridge__x in Claude Code and Codex, mcp_bridge_x in Gemini CLI.
func ownTool(name string) bool {
	for _, own := range ownTools {
		if strings.HasPrefix(name, "mcp_") && strings.HasSuffix(name, "_"+own) {
			return true
		}
	}
	return false
}
