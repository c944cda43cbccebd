// Package resources gives URIs to what the sessions of a conversation share: the
// sessions, claims, shared files, tasks and the steps of those who work on them. MCP
// clients read it in addition to the tools, and can be notified of changes.
//
// Reading works as with the tools: the session is authenticated, charged and recorded,
// and sees what the tools would show it of its own conversation. Watching compares
// marks: short opaque texts that change whenever the resource changes.
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

// MaxURI is the maximum length of a URI in bytes: that of a path with every byte
// percent-encoded.
const MaxURI = 64 + 3*relpath.MaxLength

// Kind is the kind of a resource.
type Kind string

// The kinds.
const (
	Collaboration Kind = "collaboration" // a conversation: sessions, claims, files, steps
	Agent         Kind = "agent"         // one session
	Workspace     Kind = "workspace"     // the text of a shared file
	TaskState     Kind = "task_state"    // a task with its history
	TaskLogs      Kind = "task_logs"     // the steps for a task
	TaskFiles     Kind = "task_files"    // the shared files of a task
)

// URI is a parsed URI. Which fields are set depends on the kind.
type URI struct {
	Kind         Kind
	Conversation string
	Session      bridge.SessionID
	// Path is the normalized path of a shared file.
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

// Media types of the resources.
const (
	JSON = "application/json"
	Text = "text/plain"
)

// Templates lists all templates.
func Templates() []Template {
	return []Template{
		{Collaboration, "collaboration://{conversation}", "collaboration", "Conversation", "The sessions, what is waiting for each, claims, shared files and the last steps", JSON},
		{Agent, "agents://{conversation}/{session}/status", "agent-status", "Agent", "A session's status, whether it is alive, and how much is waiting for it", JSON},
		{Workspace, "workspace://{conversation}/{+path}", "workspace-file", "Shared file", "The text of a shared file as it is now: untrusted data", Text},
		{TaskState, "tasks://{task}/state", "task-state", "Task", "A task with its history", JSON},
		{TaskLogs, "tasks://{task}/logs", "task-logs", "Steps of a task", "The last steps that were logged for a task", JSON},
		{TaskFiles, "tasks://{task}/files", "task-files", "Files of a task", "The shared files of a task; file_read gives their texts", JSON},
	}
}

// MIMEType returns the media type of resources of the kind.
func (k Kind) MIMEType() string {
	if k == Workspace {
		return Text
	}
	return JSON
}

// invalid describes what is wrong with a URI, without repeating it.
func invalid(problem string) error { return bridge.Invalid("uri", "%s", problem) }

// Parse parses a URI. The error is a bridge.InvalidError. Any character of a path may
// be percent-encoded. The path is decoded once; it does not refer to a file on disk.
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
	return invalid("must be one of those in resources/list or resources/templates/list")
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

// decoded returns the normalized path after the conversation in the URI of a
// shared file.
func decoded(written string) (string, error) {
	path, err := url.PathUnescape(written)
	if err != nil {
		return "", invalid("must have % only before two hexadecimal digits: write % itself as %25")
	}
	if strings.ContainsAny(written, "?#") {
		return "", invalid("must have no query and no fragment: write ? as %3F and # as %23")
	}
	clean, problem := relpath.Clean(path)
	switch {
	case problem != "":
		return "", invalid("is not that of a shared file: it " + strings.Replace(problem, "must have paths", "must have a path", 1))
	case strings.HasSuffix(path, "/") || strings.ContainsAny(path, "*?") || cleantext.CleanLine(clean) != clean:
		return "", invalid("must name one file, without *, ?, a trailing / or invisible characters")
	}
	return clean, nil
}

// String returns the URI in its canonical form.
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
