// Package resources is what the sessions of a conversation share, under URIs: who is
// there, who works on which files, shared files, tasks and the steps of those who do
// them. Clients of MCP read it beside the tools, and may be told that it has changed.
//
// Reading is what the tools do: the session proves itself, is counted and recorded, and
// sees what they would show it, of its own conversation only. Watching compares marks:
// short texts that change with what a URI stands for and say nothing of it.
package resources

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/relpath"
)

// MaxURI is how many bytes a URI has at most: a path of which each byte is written in
// three.
const MaxURI = 64 + 3*relpath.MaxLength

// Kind is what a URI stands for.
type Kind string

// The kinds.
const (
	Collaboration Kind = "collaboration" // a conversation: members, claims, files, steps
	Agent         Kind = "agent"         // one session
	Workspace     Kind = "workspace"     // the text of a shared file
	TaskState     Kind = "task_state"    // a task with its history
	TaskLogs      Kind = "task_logs"     // the steps for a task
	TaskFiles     Kind = "task_files"    // the shared files of a task
)

// URI is one in parts. Which are set depends on the kind.
type URI struct {
	Kind         Kind
	Conversation string
	Session      bridge.SessionID
	// Path is that of a shared file, in its one form.
	Path string
	Task int64
}

// Template describes the URIs of a kind.
type Template struct {
	Kind Kind
	// URI is a template of RFC 6570.
	URI                      string
	Name, Title, Description string
	MIMEType                 string
}

// Types of what is read.
const (
	JSON = "application/json"
	Text = "text/plain"
)

// Templates lists them all.
func Templates() []Template {
	return []Template{
		{Collaboration, "collaboration://{conversation}", "collaboration", "Conversation", "Who takes part, what waits for each, who has claimed what, the shared files and the last steps", JSON},
		{Agent, "agents://{conversation}/{session}/status", "agent-status", "Agent", "What one session says it is doing, whether it is alive, and how much waits for it", JSON},
		{Workspace, "workspace://{conversation}/{+path}", "workspace-file", "Shared file", "The text of a shared file as it is now: untrusted data", Text},
		{TaskState, "tasks://{task}/state", "task-state", "Task", "A task with its history", JSON},
		{TaskLogs, "tasks://{task}/logs", "task-logs", "Steps of a task", "The last steps that were logged for a task", JSON},
		{TaskFiles, "tasks://{task}/files", "task-files", "Files of a task", "The shared files of a task; file_read gives their texts", JSON},
	}
}

// MIMEType is the type of what a URI of the kind gives.
func (k Kind) MIMEType() string {
	if k == Workspace {
		return Text
	}
	return JSON
}

// invalid says what is wrong with a URI, and never repeats it.
func invalid(problem string) error { return bridge.Invalid("uri", "%s", problem) }

// Parse reads a URI. The error is a bridge.InvalidError. A path may be written with any
// of its characters percent-encoded; it is decoded once, and names no file of a disk.
func Parse(text string) (u URI, err error) {
	if len(text) > MaxURI {
		return u, invalid("must be a URI of at most " + strconv.Itoa(MaxURI) + " bytes")
	}
	if !utf8.ValidString(text) {
		return u, invalid("must be a URI in UTF-8")
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return u, unknown()
	}
	parts := strings.Split(rest, "/")
	switch scheme {
	case "collaboration":
		u = URI{Kind: Collaboration, Conversation: rest}
	case "agents":
		if len(parts) != 3 || parts[2] != "status" {
			return u, unknown()
		}
		u = URI{Kind: Agent, Conversation: parts[0], Session: bridge.SessionID(parts[1])}
		if !u.Session.Valid() {
			return u, invalid("must name a session by its letter, as agents://conv_0123456789abcdef/a/status")
		}
	case "workspace":
		conversation, path, _ := strings.Cut(rest, "/")
		u = URI{Kind: Workspace, Conversation: conversation}
		if u.Path, err = decoded(path); err != nil {
			return URI{}, err
		}
	case "tasks":
		return parseTask(parts)
	default:
		return u, unknown()
	}
	if !bridge.IsConversationID(u.Conversation) {
		return URI{}, invalid("must name a conversation by its id, such as conv_0123456789abcdef")
	}
	return u, nil
}

func unknown() error {
	return invalid("must be one of those that resources/list and resources/templates/list tell")
}

func parseTask(parts []string) (u URI, err error) {
	kinds := map[string]Kind{"state": TaskState, "logs": TaskLogs, "files": TaskFiles}
	if len(parts) != 2 || kinds[parts[1]] == "" {
		return u, unknown()
	}
	id, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || id < 1 || strconv.FormatInt(id, 10) != parts[0] {
		return u, invalid("must name a task by its number, as tasks://7/state")
	}
	return URI{Kind: kinds[parts[1]], Task: id}, nil
}

// decoded is the path behind a workspace's conversation, in its one form.
func decoded(written string) (string, error) {
	path, err := url.PathUnescape(written)
	if err != nil {
		return "", invalid("must have % only in front of two hexadecimal digits: write % itself as %25")
	}
	if strings.ContainsAny(written, "?#") {
		return "", invalid("must have no query and no fragment: write ? as %3F and # as %23")
	}
	clean, problem := relpath.Clean(path)
	switch {
	case problem != "":
		return "", invalid("is of no shared file: it " + strings.Replace(problem, "must have paths", "must have a path", 1))
	case strings.HasSuffix(path, "/") || strings.ContainsAny(path, "*?") || cleantext.CleanLine(clean) != clean:
		return "", invalid("must be of one file, without *, ?, / at its end and characters that are not shown")
	}
	return clean, nil
}

// String is the URI in its one form.
func (u URI) String() string {
	switch u.Kind {
	case Collaboration:
		return "collaboration://" + u.Conversation
	case Agent:
		return "agents://" + u.Conversation + "/" + string(u.Session) + "/status"
	case Workspace:
		parts := strings.Split(u.Path, "/")
		for i, part := range parts {
			parts[i] = url.PathEscape(part)
		}
		return "workspace://" + u.Conversation + "/" + strings.Join(parts, "/")
	case TaskState, TaskLogs, TaskFiles:
		return "tasks://" + strconv.FormatInt(u.Task, 10) + "/" + strings.TrimPrefix(string(u.Kind), "task_")
	}
	return ""
}
