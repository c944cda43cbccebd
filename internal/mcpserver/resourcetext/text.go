// Package resourcetext is what a client of MCP reads of a resource: text of a shared file,
// and JSON of anything else.
package resourcetext

import (
	"encoding/json"
	"fmt"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/resources"
	"example.org/bridge/internal/view"
)

// Listed is a resource in a list.
type Listed struct {
	URI, Name, Title, Description, MIMEType string
	Size                                    int64
}

// ListedOf is l for an agent. What agents wrote is on one line, and short.
func ListedOf(l resources.Listed) Listed {
	v := Listed{URI: l.URI.String(), MIMEType: l.URI.Kind.MIMEType(), Size: l.Bytes}
	switch l.URI.Kind {
	case resources.Collaboration:
		v.Name, v.Title = l.URI.Conversation, "Conversation "+l.URI.Conversation
		v.Description = "Who takes part, what waits for each, claims, shared files and the last steps"
	case resources.Agent:
		v.Name = "session " + string(l.URI.Session)
		v.Title = fmt.Sprintf("Session %s of %s", l.URI.Session, l.URI.Conversation)
	case resources.Workspace:
		v.Name = cleantext.CleanLine(l.URI.Path)
		v.Description = "A shared file of " + l.URI.Conversation
	case resources.TaskState, resources.TaskLogs, resources.TaskFiles:
		what := map[resources.Kind]string{resources.TaskState: "state", resources.TaskLogs: "steps", resources.TaskFiles: "files"}[l.URI.Kind]
		v.Name = fmt.Sprintf("task %d %s", l.URI.Task, what)
		v.Title = cleantext.ShortName(l.Text)
	}
	return v
}

// SharedConversation is a conversation for one of its sessions that reads it.
type SharedConversation struct {
	ConversationID string `json:"conversation_id"`
	// SessionID is the reader's own.
	SessionID string        `json:"session_id"`
	Team      string        `json:"team,omitempty"`
	ExpiresAt view.Time     `json:"expires_at"`
	Agents    []Agent       `json:"agents"`
	Claims    []SharedClaim `json:"claims"`
	Files     []view.File   `json:"files"`
	Steps     []view.Step   `json:"steps"`
	Trust     string        `json:"trust"`
}

// Agent is a session of a conversation for another that reads of it.
type Agent struct {
	ConversationID string `json:"conversation_id,omitempty"`
	SessionID      string `json:"session_id"`
	Role           string `json:"role"`
	view.Presence
	// Unread counts what waits for it.
	Unread int64  `json:"unread"`
	Trust  string `json:"trust"`
}

// SharedClaim is a claim for another session of its conversation.
type SharedClaim struct {
	Path        string `json:"path"`
	Exclusive   bool   `json:"exclusive"`
	SessionID   string `json:"session_id"`
	Reason      string `json:"reason"`
	TaskID      *int64 `json:"task_id,omitempty"`
	SecondsLeft int64  `json:"seconds_left"`
}

// Of is a resource as its reader gets it, and what is said beside it. What
// agents wrote is cleaned of what could control a terminal or imitate a client.
func Of(c resources.Content) (text string, meta map[string]any, err error) {
	meta = map[string]any{metaTrust: untrusted}
	if c.URI.Kind == resources.Workspace {
		clean := cleantext.Clean(c.File.Text)
		meta[metaVersion], meta[metaWriter] = c.File.Version, string(c.File.Writer)
		if clean != c.File.Text {
			meta[metaCleaned] = true
		}
		return clean, meta, nil
	}
	encoded, err := json.Marshal(resourceData(c))
	return string(encoded), meta, err
}

// untrusted is how far what agents wrote may be trusted.
const untrusted = "untrusted"

// What is said beside a resource.
const (
	metaTrust   = "bridge/trust"
	metaVersion = "bridge/version"
	metaWriter  = "bridge/written_by"
	// metaCleaned is set where characters of the text are not shown, or shown otherwise.
	metaCleaned = "bridge/cleaned"
)

func resourceData(c resources.Content) any {
	switch c.URI.Kind { //nolint:exhaustive // a workspace is text
	case resources.Collaboration:
		return ofSharedConversation(c)
	case resources.Agent:
		of := c.Described.Self
		if len(c.Described.Partners) > 0 {
			of = c.Described.Partners[0]
		}
		a := ofAgent(of, c)
		a.ConversationID = c.Conversation
		return a
	case resources.TaskState:
		task := view.OfTask(c.Task, c.Now)
		task.Body, task.History, task.Omitted = cleantext.Clean(c.Task.Body), view.OfHistory(c.History), c.Omitted
		return task
	case resources.TaskLogs:
		return map[string]any{"task_id": c.URI.Task, "steps": ofSteps(c)}
	default:
		return map[string]any{"task_id": c.URI.Task, "files": ofFiles(c)}
	}
}

func ofSharedConversation(c resources.Content) SharedConversation {
	d := c.Described
	v := SharedConversation{
		ConversationID: d.ID, SessionID: string(d.Session), Team: cleantext.CleanLine(d.Team), ExpiresAt: view.Time(d.ExpiresAt),
		Agents: []Agent{ofAgent(d.Self, c)}, Claims: make([]SharedClaim, len(c.Claims)), Files: ofFiles(c), Steps: ofSteps(c), Trust: untrusted,
	}
	for _, p := range d.Partners {
		v.Agents = append(v.Agents, ofAgent(p, c))
	}
	for i, claim := range c.Claims {
		all := view.ClaimOf(claim, c.Now)
		v.Claims[i] = SharedClaim{all.Path, all.Exclusive, all.SessionID, all.Reason, all.TaskID, all.SecondsLeft}
	}
	return v
}

func ofAgent(s bridge.SessionState, c resources.Content) Agent {
	return Agent{
		SessionID: string(s.Session), Role: cleantext.CleanLine(s.Role), Presence: view.OfPresence(s, c.Now), Unread: s.Unread, Trust: untrusted,
	}
}

func ofFiles(c resources.Content) []view.File {
	views := make([]view.File, len(c.Files))
	for i, f := range c.Files {
		views[i] = view.FileOf(f)
	}
	return views
}

func ofSteps(c resources.Content) []view.Step {
	views := make([]view.Step, len(c.Steps))
	for i, s := range c.Steps {
		views[i] = view.StepOf(s)
	}
	return views
}
