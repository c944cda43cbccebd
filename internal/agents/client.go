package agents

import (
	"path/filepath"
	"runtime"
	"slices"
)

// Client is an MCP client that bridge knows how to connect.
type Client string

// The clients.
const (
	Claude Client = "claude"
	Codex  Client = "codex"
	Gemini Client = "gemini"
)

// Clients lists them all.
func Clients() []Client {
	return []Client{Claude, Codex, Gemini, OpenCode, Qwen, Copilot, Cline, Amp}
}

// Hooked reports whether bridge has hooks for the client: its agent is told of
// mail.
func (c Client) Hooked() bool { return slices.Contains(HookClients(), string(c)) }

// Title is what the client calls itself.
func (c Client) Title() string {
	switch c {
	case Claude:
		return "Claude Code"
	case Codex:
		return "Codex"
	case Gemini:
		return "Gemini CLI"
	}
	return serverClients[c].title
}

// Scope says for whom an entry counts.
type Scope string

// The scopes. ScopeLocal is Claude Code's own: one user's entry for one
// project, in the user's file. Bridge finds such entries and writes none.
const (
	ScopeUser    Scope = "user"
	ScopeProject Scope = "project"
	ScopeLocal   Scope = "local"
)

// Place is where the clients' configuration is looked for.
type Place struct {
	// Home is the user's home folder, Dir the project's; both absolute.
	Home, Dir string
	// Getenv looks into the environment: each client has a variable that moves
	// its folder.
	Getenv func(string) string
}

// folder is where the environment moves a client's folder, or its usual place.
func (p Place) folder(variable, usual string) string {
	if dir := p.Getenv(variable); dir != "" {
		if abs, err := filepath.Abs(dir); err == nil {
			return abs
		}
	}
	return filepath.Join(p.Home, usual)
}

// Setup is what to install.
type Setup struct {
	Client Client
	Scope  Scope
	// Program is the absolute path of the bridge program.
	Program string
	// DB is the absolute path of the store, empty for the usual one.
	DB string
	// Config is the absolute path of the configuration file, empty for the usual
	// one.
	Config string
	// Name is what the server is called in the client.
	Name string
	// DenyRules keeps the client's agent from running the operator's commands.
	DenyRules bool
	// AllowTools lets the client's agent use the tools that read and answer messages
	// without asking its user.
	AllowTools bool
	// Wake lets mail wake an idle agent where the client does not do so by itself:
	// Codex, by a command of its own that may still change.
	Wake bool
	// GuardClaims keeps the client's own tools from changing files that another agent
	// has claimed.
	GuardClaims bool
	// Tools are the groups of tools that the server offers, as its flag takes them;
	// empty for the usual ones.
	Tools string
}

// DefaultName is what the server is called unless somebody says otherwise.
const DefaultName = "bridge"

// serveArgs is how the client starts the server.
func (s Setup) serveArgs() []string {
	if s.Tools != "" {
		return s.withPlaces("serve", "--tools", s.Tools)
	}
	return s.withPlaces("serve")
}

// withPlaces adds the flags that say where the store and the configuration are.
func (s Setup) withPlaces(args ...string) []string {
	if s.DB != "" {
		args = append(args, "--db", s.DB)
	}
	if s.Config != "" {
		args = append(args, "--config", s.Config)
	}
	return args
}

// hookCommand is the shell command of a hook.
func (s Setup) hookCommand(more ...string) string {
	words := slices.Concat([]string{s.Program, "hook", string(s.Client)}, more, s.withPlaces())
	return shellOf(s.Client, runtime.GOOS).line(words)
}

// deniedWords are commands that an agent must not run from its shell: those of
// the operator, and a server of its own, through which it could play a partner.
var deniedWords = []string{"yolo", "serve"}

// deniedCommands lists them as one would type them, and by their full path.
func (s Setup) deniedCommands() (commands [][]string) {
	for _, program := range []string{"bridge", s.Program} {
		for _, word := range deniedWords {
			commands = append(commands, []string{program, word})
		}
	}
	return commands
}

func anySlice[T any](items []T) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = item
	}
	return out
}
