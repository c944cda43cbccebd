package agents

import (
	"errors"
	"path/filepath"

	"example.org/bridge/internal/confedit"
)

// Clients for which bridge installs its server, but no hooks: their agents check for
// mail only when they are told to. The format of each file is as written by the
// client's own command for adding servers (`opencode mcp add` 1.18.33, `qwen mcp add`
// 0.24.4, `copilot mcp add` 1.0.102, `cline mcp add` 3.0.65); for Amp it is as in its
// manual.

// The clients for which bridge has no hooks.
const (
	OpenCode Client = "opencode"
	Qwen     Client = "qwen"
	Copilot  Client = "copilot"
	Cline    Client = "cline"
	Amp      Client = "amp"
)

// serverClient describes such a client.
type serverClient struct {
	title string
	// key is the member of the file that contains the servers.
	key string
	// user and project are the possible files, in the order of the search; the last is
	// created if there is none. If project is empty, the client has no file for
	// projects.
	user, project []string
	// moved is a variable that moves the user's folder; movedTo is the part of user
	// that it replaces.
	moved, movedTo string
	format         format
	entry          func(Setup) confedit.Object
}

var serverClients = map[Client]serverClient{
	OpenCode: {
		title: "opencode", key: "mcp", format: commentedJSON,
		user:    []string{".config/opencode/opencode.json", ".config/opencode/opencode.jsonc"},
		project: []string{"opencode.jsonc", "opencode.json"},
		moved:   "XDG_CONFIG_HOME", movedTo: ".config",
		entry: func(s Setup) confedit.Object {
			return confedit.Object{{Name: "type", Value: "local"}, {Name: "command", Value: anySlice(append([]string{s.Program}, s.serveArgs()...))}}
		},
	},
	Qwen: {
		title: "Qwen Code", key: "mcpServers", format: commentedJSON,
		user: []string{".qwen/settings.json"}, project: []string{".qwen/settings.json"},
		entry: plainEntry,
	},
	Copilot: {
		title: "Copilot CLI", key: "mcpServers", format: strictJSON,
		user:  []string{".copilot/mcp-config.json"},
		moved: "COPILOT_HOME", movedTo: ".copilot",
		entry: func(s Setup) confedit.Object {
			return append(confedit.Object{{Name: "tools", Value: []any{"*"}}, {Name: "type", Value: "local"}}, plainEntry(s)...)
		},
	},
	Cline: {
		title: "Cline", key: "mcpServers", format: strictJSON,
		user: []string{".cline/data/settings/cline_mcp_settings.json"},
		entry: func(s Setup) confedit.Object {
			return confedit.Object{{Name: "transport", Value: append(confedit.Object{{Name: "type", Value: "stdio"}}, plainEntry(s)...)}}
		},
	},
	Amp: {
		title: "Amp", key: "amp.mcpServers", format: commentedJSON,
		user: []string{".config/amp/settings.json"}, project: []string{".amp/settings.json"},
		entry: plainEntry,
	},
}

func plainEntry(s Setup) confedit.Object {
	return confedit.Object{{Name: "command", Value: s.Program}, {Name: "args", Value: anySlice(s.serveArgs())}}
}

var (
	errNoRules   = errors.New("has no rules for tools that bridge could write: leave out --yolo-deny-rule and --allow-tools")
	errNoProject = errors.New("keeps servers for the user only: leave out --scope project")
)

func (c serverClient) targets(s Setup, p Place) ([]target, error) {
	switch {
	case s.DenyRules || s.AllowTools:
		return nil, &ConflictError{c.title, errNoRules.Error()}
	case s.Scope == ScopeProject && c.project == nil:
		return nil, &ConflictError{c.title, errNoProject.Error()}
	}
	return []target{{path: c.file(s.Scope, p), format: c.format, entries: []entry{{path: []string{c.key, s.Name}, value: c.entry(s)}}}}, nil
}

// file returns the file with the servers of a scope.
func (c serverClient) file(scope Scope, p Place) (path string) {
	names, root := c.user, p.Home
	if scope == ScopeProject {
		names, root = c.project, p.Dir
	}
	for _, name := range names {
		path = filepath.Join(root, filepath.FromSlash(name))
		if rest, err := filepath.Rel(filepath.FromSlash(c.movedTo), filepath.FromSlash(name)); c.moved != "" && scope == ScopeUser && err == nil && p.Getenv(c.moved) != "" {
			path = filepath.Join(p.folder(c.moved, ""), rest)
		}
		if f, err := readFile(path); err == nil && f.exists {
			return path
		}
	}
	return path
}

// serversKey returns the member of a client's file that contains its servers.
func (c Client) serversKey() string {
	if other, ok := serverClients[c]; ok {
		return other.key
	}
	return "mcpServers"
}
