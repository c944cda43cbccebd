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

// Hooked reports whether bridge has hooks for the client. Agents of other clients are
// not notified of mail.
func (c Client) Hooked() bool { return slices.Contains(HookClients(), string(c)) }

// Title returns the client's name for display.
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

// Scope says for whom an entry applies.
type Scope string

// The scopes. ScopeLocal exists in Claude Code only: it is one user's entry for one
// project, stored in the user's file. Bridge finds such entries but does not write
// them.
const (
	ScopeUser    Scope = "user"
	ScopeProject Scope = "project"
	ScopeLocal   Scope = "local"
)

// Place says where to look for the clients' configuration.
type Place struct {
	// Home is the user's home folder; Dir is the project's folder. Both are absolute.
	Home, Dir string
	// Getenv reads the environment, because each client has a variable that moves its
	// folder.
	Getenv func(string) string
}

// folder returns the client's folder: the value of the environment variable if it is
// set, otherwise usual below the home folder.
func (p Place) folder(variable, usual string) string {
	if dir := p.Getenv(variable); dir != "" {
		if abs, err := filepath.Abs(dir); err == nil {
			return abs
		}
	}
	return filepath.Join(p.Home, usual)
}

// Setup describes what to install.
type Setup struct {
	Client Client
	Scope  Scope
	// Program is the absolute path of the bridge program.
	Program string
	// DB is the absolute path of the store; empty for the default store.
	DB string
	// Config is the absolute path of the configuration file; empty for the default one.
	Config string
	// Name is the server's name in the client.
	Name string
	// DenyRules adds rules that keep the client's agent from running the operator's
	// commands.
	DenyRules bool
	// AllowTools adds rules that let the client's agent use the tools that read and
	// answer messages without asking its user.
	AllowTools bool
	// Wake makes mail wake an idle agent in Codex, by a command of Codex that may still
	// change. Claude Code always does this.
	Wake bool
	// GuardClaims adds a hook that keeps the client's own tools from changing files
	// that another agent has claimed.
	GuardClaims bool
	// Tools are the groups of tools that the server offers, in the format of its flag;
	// empty for the default groups.
	Tools string
}

// DefaultName is the default name of the server.
const DefaultName = "bridge"

// serveArgs returns the arguments with which the client starts the server.
func (s Setup) serveArgs() []string {
	if s.Tools != "" {
		return s.withPlaces("serve", "--tools", s.Tools)
	}
	return s.withPlaces("serve")
}

// withPlaces appends the flags for the store and the configuration.
func (s Setup) withPlaces(args ...string) []string {
	if s.DB != "" {
		args = append(args, "--db", s.DB)
	}
	if s.Config != "" {
		args = append(args, "--config", s.Config)
	}
	return args
}

// hookCommand returns the shell command of a hook.
func (s Setup) hookCommand(more ...string) string {
	words := slices.Concat([]string{s.Program, "hook", string(s.Client)}, more, s.withPlaces())
	return shellOf(s.Client, runtime.GOOS).line(words)
}

// deniedWords are the subcommands that an agent must not run from its shell: those of
// the operator, and a server of its own, with which it could impersonate a partner.
var deniedWords = []string{"yolo", "serve"}

// deniedCommands returns these commands both with the program's name and with its full
// path.
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
