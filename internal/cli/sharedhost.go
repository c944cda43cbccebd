package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/adrg/xdg"
)

// A shared host is a process in which an MCP client runs the sessions of several
// terminals, such as Codex's background server. It was started from one of them
// and hands that one's variables to all. So what they say is not what the
// terminal behind a session says, and a credential among them would give the
// first session to all others.
type sharedHost struct {
	// title is the client's own word for it.
	title string
	// environ are its variables; known is false where they cannot be read.
	environ []string
	known   bool
	// direct reports that it started this process itself, or by a shell.
	direct bool
}

// credentialVariables bind a process to one session. A server that a shared host
// started takes none, wherever it came from: what a client's configuration sets
// is the same for all its sessions.
var credentialVariables = []string{"BRIDGE_CONVERSATION_ID", "BRIDGE_SESSION_ID", "BRIDGE_TOKEN"}

// placeVariables say which store is used and whether commands may be asked for.
// Behind a shared host they are taken only where the client's own configuration
// sets them.
var placeVariables = []string{"BRIDGE_DB", "BRIDGE_CONFIG", "XDG_STATE_HOME", "XDG_CONFIG_HOME", yoloVariable}

// maxHostDepth bounds how far above this process a shared host is looked for.
const maxHostDepth = 16

// findSharedHosts returns the shared hosts among the processes that led to this
// one, the nearest first.
func findSharedHosts() (hosts []sharedHost) {
	pid, direct := os.Getppid(), true
	for depth := 0; pid > 1 && depth < maxHostDepth; depth++ {
		arguments, parent := processArguments(pid)
		if title := sharedTitle(arguments); title != "" {
			environ, known := processEnvironment(pid)
			hosts = append(hosts, sharedHost{title, environ, known, direct})
		}
		direct = direct && len(arguments) > 0 && isShell(arguments[0])
		pid = parent
	}
	return hosts
}

// sharedTitle names the shared host that a process with these arguments is; ""
// for any other process. Checked against Codex 0.171.0, Claude Code 2.1.332 and
// Cline 3.0.65; for opencode 1.18.33 and Qwen Code 0.24.4 it goes by their help.
func sharedTitle(arguments []string) string {
	agent := agentOf(arguments)
	switch {
	case strings.Contains(agent, "codex") && slices.Contains(arguments, "app-server"):
		return "Codex's background server (codex app-server)"
	case strings.Contains(agent, "claude") && isClaudeDaemon(arguments):
		return "Claude Code's background service (claude --bg)"
	case strings.Contains(agent, "cline") && slices.Contains(arguments, "--cline-hub-daemon"):
		return "Cline's hub (cline hub)"
	case strings.Contains(agent, "opencode") && hasSubcommand(arguments, "serve", "web"):
		return "opencode's server (opencode serve)"
	case strings.Contains(agent, "qwen") && hasSubcommand(arguments, "serve"):
		return "Qwen Code's server (qwen serve)"
	}
	return ""
}

// hasSubcommand reports whether a client was started with one of these
// subcommands: behind its name, or behind the file that its interpreter runs.
func hasSubcommand(arguments []string, names ...string) bool {
	return slices.ContainsFunc(arguments[1:min(3, len(arguments))], func(argument string) bool {
		return slices.Contains(names, argument)
	})
}

// isClaudeDaemon reports whether arguments are those of the service behind
// `claude --bg`, or of one of the processes that it keeps ready for sessions.
func isClaudeDaemon(arguments []string) bool {
	if len(arguments) < 2 {
		return false
	}
	return arguments[1] == "daemon" || arguments[1] == "bg-pty-host" || isClaudeWorker(arguments)
}

// isClaudeWorker reports whether arguments are those of the process of one
// background session.
func isClaudeWorker(arguments []string) bool {
	return slices.Contains(arguments, "--bg-spare") || len(arguments) > 1 && arguments[1] == "bg-spare"
}

// passedOn reports whether a variable of this process is one that the host had.
func (h sharedHost) passedOn(name, value string) bool {
	return !h.known || slices.Contains(h.environ, name+"="+value)
}

// dropSharedVariables takes from this process the variables that shared hosts handed on,
// and notes which, so that an agent and its user can be told. A server that such
// a host started loses all credentials.
func (a *app) dropSharedVariables(server bool) {
	for _, host := range findSharedHosts() {
		for _, name := range slices.Concat(credentialVariables, placeVariables) {
			value := a.env(name)
			credential := server && host.direct && slices.Contains(credentialVariables, name)
			if value != "" && (credential || host.passedOn(name, value)) {
				a.dropped, a.host = append(a.dropped, name), host.title
				_ = os.Unsetenv(name) // fails for names that no variable has
			}
		}
	}
	if len(a.dropped) > 0 {
		xdg.Reload()
	}
}

// droppedReason says that variables were left out, and why; "" for none.
func (a *app) droppedReason(names []string) string {
	if len(names) == 0 {
		return ""
	}
	verb := "was"
	if len(names) > 1 {
		verb = "were"
	}
	return fmt.Sprintf("%s %s not used: %s gives the variables of one terminal to the sessions of all terminals",
		strings.Join(names, ", "), verb, a.host)
}

// unbound says why a credential in the environment was not taken; "" where there
// was none.
func (a *app) unbound() string {
	return a.droppedReason(slices.DeleteFunc(slices.Clone(a.dropped), func(name string) bool {
		return !slices.Contains(credentialVariables, name)
	}))
}

// unboundNote is unbound behind what a command says is missing.
func (a *app) unboundNote() string {
	if reason := a.unbound(); reason != "" {
		return ". " + reason
	}
	return ""
}
