package cli

import (
	"slices"
	"strings"
)

// hostKind is a kind of shared host.
type hostKind struct {
	// client is the name in its arguments; title is the client's own name for it.
	client, title string
	// oneServer reports whether all its sessions use the same server.
	oneServer bool
	// editor reports whether its sessions belong to one editor instead of to terminals.
	// In that case only credentials can identify another session.
	editor bool
}

// hostKindOf returns the kind of shared host that a process with these arguments is; ok
// is false for other processes. Observed with Codex 0.171.0, Claude Code 2.1.332, Cline
// 3.0.65, opencode 1.18.33, Qwen Code 0.24.4, Gemini CLI 0.61.0 and Copilot CLI
// 1.0.102.
func hostKindOf(arguments []string) (hostKind, bool) {
	agent := agentOf(arguments)
	is := func(client string) bool { return strings.Contains(agent, client) }
	switch {
	case agent == "":
	case is("codex") && slices.Contains(arguments, "app-server"):
		return hostKind{client: "codex", title: "Codex's background server (codex app-server)", oneServer: true}, true
	case is("claude") && isClaudeDaemon(arguments):
		return hostKind{client: "claude", title: "Claude Code's background service (claude --bg)"}, true
	case is("cline") && slices.Contains(arguments, "--cline-hub-daemon"):
		return hostKind{client: "cline", title: "Cline's hub (cline hub)"}, true
	case is("opencode") && (hasSubcommand(arguments, "serve", "web") || listens(arguments)):
		return hostKind{client: "opencode", title: "opencode's server (opencode serve)", oneServer: true}, true
	case is("opencode") && hasSubcommand(arguments, "acp"):
		return hostKind{client: "opencode", title: "opencode in an editor (opencode acp)", oneServer: true, editor: true}, true
	case is("qwen") && hasSubcommand(arguments, "serve"):
		return hostKind{client: "qwen", title: "Qwen Code's server (qwen serve)", oneServer: true}, true
	case servesSessions(arguments):
		return editorHost(agent), true
	}
	return hostKind{}, false
}

// editorHost is an agent that an editor controls over the Agent Client Protocol. There
// each session of Gemini CLI and Copilot CLI has its own server, while those of Qwen
// Code share one. Cline and others were not tested, so they are assumed to share one.
func editorHost(agent string) hostKind {
	for client, title := range map[string]string{"qwen": "Qwen Code", "gemini": "Gemini CLI", "copilot": "Copilot CLI", "cline": "Cline"} {
		if strings.Contains(agent, client) {
			return hostKind{client: client, title: title + " in an editor (--acp)", oneServer: client == "qwen" || client == "cline", editor: true}
		}
	}
	return hostKind{client: agent, title: agent + " in an editor", oneServer: true, editor: true}
}

// listens reports whether opencode accepts connections from others, because its flags
// for the address were used.
func listens(arguments []string) bool {
	return !hasSubcommand(arguments, "run") && slices.ContainsFunc(arguments, func(argument string) bool {
		name, _, _ := strings.Cut(argument, "=")
		return slices.Contains([]string{"--port", "--hostname", "--mdns"}, name)
	})
}

// hasSubcommand reports whether a client was started with one of these subcommands,
// directly after its name or after the file that its interpreter runs.
func hasSubcommand(arguments []string, names ...string) bool {
	at := 1
	if agentOf(arguments[:1]) == "" {
		at = 2
	}
	return len(arguments) > at && slices.Contains(names, arguments[at])
}

// isClaudeDaemon reports whether arguments are those of the service of `claude --bg`,
// or of one of the processes that it keeps ready for sessions.
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
