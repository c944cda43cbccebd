package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/adrg/xdg"
)

// A shared host is a process in which an MCP client runs the sessions of several
// terminals, such as Codex's background server. It was started from one of the
// terminals and passes that terminal's variables to all sessions. So the variables need
// not be those of a session's own terminal, and a credential in them would give the
// first session to all others.
type sharedHost struct {
	hostKind
	// environ are its variables; known is false if they cannot be read.
	environ []string
	known   bool
	// direct reports whether it started this process itself or through a shell.
	direct bool
}

// credentialVariables bind a process to one session. A server started by a shared host
// ignores them wherever they come from, because what a client's configuration sets is
// the same for all its sessions.
var credentialVariables = []string{"BRIDGE_CONVERSATION_ID", "BRIDGE_SESSION_ID", "BRIDGE_TOKEN"}

// placeVariables say which store is used and whether commands may be requested. Under a
// shared host they are used only if the client's own configuration sets them.
var placeVariables = []string{"BRIDGE_DB", "BRIDGE_CONFIG", "XDG_STATE_HOME", "XDG_CONFIG_HOME", yoloVariable}

// maxHostDepth limits how many ancestors are searched for a shared host.
const maxHostDepth = 16

// findSharedHosts returns the shared hosts among this process's ancestors, nearest
// first.
func findSharedHosts() (hosts []sharedHost) {
	pid, direct := os.Getppid(), true
	for depth := 0; pid > 1 && depth < maxHostDepth; depth++ {
		arguments, parent := processArguments(pid)
		if kind, ok := hostKindOf(arguments); ok {
			environ, known := processEnvironment(pid)
			hosts = joinHosts(hosts, sharedHost{kind, environ, known, direct})
		}
		direct = direct && len(arguments) > 0 && isShell(arguments[0])
		pid = parent
	}
	return hosts
}

// joinHosts adds the next host above. A server that runs its sessions in a process that
// it controls like an editor, as `qwen serve` does, counts as one host with that
// process.
func joinHosts(hosts []sharedHost, above sharedHost) []sharedHost {
	if n := len(hosts); n > 0 && hosts[n-1].editor && hosts[n-1].client == above.client {
		hosts[n-1].hostKind = above.hostKind
		return hosts
	}
	return append(hosts, above)
}

// sharedServer returns the title of the host whose sessions all use this process; "" if
// only one session does.
func sharedServer(hosts []sharedHost) string {
	for _, host := range hosts {
		if host.direct && host.oneServer {
			return host.title
		}
	}
	return ""
}

// passedOn reports whether a variable of this process comes from the host.
func (h sharedHost) passedOn(name, value string) bool {
	return !h.known || slices.Contains(h.environ, name+"="+value)
}

// dropSharedVariables removes variables that shared hosts passed on from this process's
// environment, and records which, so that an agent and its user can be told. A server
// started by such a host loses all credentials.
func (a *app) dropSharedVariables(server bool) {
	hosts := findSharedHosts()
	a.shared = sharedServer(hosts)
	for _, host := range hosts {
		names := credentialVariables
		if !host.editor {
			names = slices.Concat(names, placeVariables)
		}
		for _, name := range names {
			value := a.env(name)
			credential := server && host.direct && slices.Contains(credentialVariables, name)
			if value != "" && (credential || host.passedOn(name, value)) {
				a.dropped, a.host = append(a.dropped, name), host
				_ = os.Unsetenv(name) // fails only for impossible names
			}
		}
	}
	if len(a.dropped) > 0 {
		xdg.Reload()
	}
}

// droppedReason says which variables were ignored, and why; "" if none was.
func (a *app) droppedReason(names []string) string {
	if len(names) == 0 {
		return ""
	}
	verb := "was"
	if len(names) > 1 {
		verb = "were"
	}
	what := "gives the variables of one terminal to the sessions of all terminals"
	if a.host.editor {
		what = "gives the editor's variables to all sessions"
	}
	return fmt.Sprintf("%s %s not used: %s %s", strings.Join(names, ", "), verb, a.host.title, what)
}

// unbound says why a credential in the environment was not used; "" if there was none.
func (a *app) unbound() string {
	return a.droppedReason(slices.DeleteFunc(slices.Clone(a.dropped), func(name string) bool {
		return !slices.Contains(credentialVariables, name)
	}))
}

// unboundNote returns unbound as a sentence to append to a message that something is
// missing.
func (a *app) unboundNote() string {
	if reason := a.unbound(); reason != "" {
		return ". " + reason
	}
	return ""
}
