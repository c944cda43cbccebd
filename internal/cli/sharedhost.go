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
	hostKind
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
		if kind, ok := hostKindOf(arguments); ok {
			environ, known := processEnvironment(pid)
			hosts = joinHosts(hosts, sharedHost{kind, environ, known, direct})
		}
		direct = direct && len(arguments) > 0 && isShell(arguments[0])
		pid = parent
	}
	return hosts
}

// joinHosts adds the next host above. A server that runs its sessions in a process
// which it drives as an editor would, as `qwen serve` does, is one host with it.
func joinHosts(hosts []sharedHost, above sharedHost) []sharedHost {
	if n := len(hosts); n > 0 && hosts[n-1].editor && hosts[n-1].client == above.client {
		hosts[n-1].hostKind = above.hostKind
		return hosts
	}
	return append(hosts, above)
}

// sharedServer is the title of the host whose sessions all call this process; "" if
// only one does.
func sharedServer(hosts []sharedHost) string {
	for _, host := range hosts {
		if host.direct && host.oneServer {
			return host.title
		}
	}
	return ""
}

// passedOn reports whether a variable of this process is one that the host had.
func (h sharedHost) passedOn(name, value string) bool {
	return !h.known || slices.Contains(h.environ, name+"="+value)
}

// dropSharedVariables takes from this process the variables that shared hosts handed on,
// and notes which, so that an agent and its user can be told. A server that such
// a host started loses all credentials.
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
	what := "gives the variables of one terminal to the sessions of all terminals"
	if a.host.editor {
		what = "gives the editor's variables to all sessions"
	}
	return fmt.Sprintf("%s %s not used: %s %s", strings.Join(names, ", "), verb, a.host.title, what)
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
