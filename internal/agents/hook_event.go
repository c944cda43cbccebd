package agents

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// HookKind is what an event means, whatever a client calls it.
type HookKind int

// The kinds of events. HookOther is one that bridge has nothing to say to.
const (
	HookOther HookKind = iota
	HookSessionStart
	HookPrompt
	HookAfterTool
	HookStop
)

// hookKinds are the names of events, as the clients' own documents and schemas
// have them. Checked against Claude Code 2.1.329, Codex 0.169.0 and Gemini CLI
// 0.61.0: Codex took Claude Code's names over.
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

// HookClients are the clients whose hooks bridge speaks.
func HookClients() []string { return []string{"claude", "codex", "gemini"} }

// MaxHookInput bounds what is read of an event, in bytes. An event carries what
// a tool answered, whole; one that is larger is not looked at.
const MaxHookInput = 4 << 20

// HookEvent is what a client tells its hook, as far as bridge uses it.
type HookEvent struct {
	Client, Name string
	Kind         HookKind
	// Session is what the client calls its session.
	Session string
	// Source says why a session starts: "startup", "resume", "compact", "clear".
	Source string
	// Again reports that the agent goes on already because a hook kept it from
	// ending.
	Again bool
	// Helper reports an event of an agent that the session's agent started. Mail
	// is not for it.
	Helper bool
	// Own reports that the tool was one of the bridge's: its answer told of mail.
	Own bool
	// Tool is the tool that the event is about, Arguments what it is called with, and
	// Dir the folder that the agent works in.
	Tool, Dir string
	Arguments json.RawMessage
}

// ErrHookInput reports an event that is larger than MaxHookInput or MaxGuardInput.
// The rest of it was not read.
var ErrHookInput = errors.New("the event is larger than a hook reads")

// ReadHookEvent reads the event of a client: one JSON object. It returns when that
// is whole, since some clients leave their end open; what follows is not read.
func ReadHookEvent(client string, r io.Reader) (HookEvent, error) {
	return readEvent(client, r, MaxHookInput)
}

// MaxGuardInput is MaxHookInput for events that are guarded: they carry a whole file
// that the agent writes.
const MaxGuardInput = 32 << 20

// ReadGuardEvent is ReadHookEvent for an event that is guarded.
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
		return HookEvent{}, errors.New("the event is not what the client's hooks are given: it is not JSON of that form")
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
		event.Again = event.Again || event.Kind == HookStop // it calls no end of a turn a second one
	}
	return event, nil
}

// settleNotice tells a notice of ours from a user's prompt, which starts the counts
// of Decide again: Gemini CLI gives the reason for which its agent goes on as a
// prompt, and Codex what wakes its agent.
func (e *HookEvent) settleNotice(prompt string) {
	ours := func(start string) bool { return strings.HasPrefix(prompt, start) }
	if e.Kind == HookPrompt && slices.ContainsFunc(noticeStarts, ours) {
		e.Kind = HookOther
	}
}

// ownTools are the tools whose answers tell how much mail there is. Clients put
// the server's name before them, each in its way.
var ownTools = []string{
	"create_conversation", "join_conversation", "send_to_partner", "check_messages", "get_history",
	"update_my_status", "check_partner_status", "list_conversations", "extend_conversation", "assign_task", "update_task", "list_tasks",
	"invite_to_conversation", "claim_file", "release_file",
	"file_read", "file_write", "file_edit", "log_step",
}

// ownTool reports whether a tool is one of the bridge's: mcp__bridge__x in
// Claude Code and Codex, mcp_bridge_x in Gemini CLI, under any server's name.
func ownTool(name string) bool {
	for _, own := range ownTools {
		if strings.HasPrefix(name, "mcp_") && strings.HasSuffix(name, "_"+own) {
			return true
		}
	}
	return false
}
