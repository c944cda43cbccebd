package paths

import (
	"strings"
)

// neverWrittenNames are components that no command may write, at any depth of
// a path: whoever can write them runs code later, outside the sandbox.
var neverWrittenNames = map[string]string{
	".claude": "agent settings and hooks", ".mcp.json": "MCP servers", ".codex": "agent settings",
	".gemini": "agent settings", ".cursor": "editor tasks", ".vscode": "editor tasks",
	".idea": "editor tasks", ".envrc": "runs when the folder is entered", ".gitmodules": "submodule commands",
	".bashrc": "shell start-up", ".bash_profile": "shell start-up", ".bash_login": "shell start-up",
	".bash_logout": "shell exit", ".bash_aliases": "shell start-up", ".profile": "shell start-up",
	".zshrc": "shell start-up", ".zshenv": "shell start-up", ".zprofile": "shell start-up",
	".zlogin": "shell start-up", ".zlogout": "shell exit", ".kshrc": "shell start-up",
	".cshrc": "shell start-up", ".tcshrc": "shell start-up", ".login": "shell start-up",
	".inputrc": "terminal set-up", ".xprofile": "session start", ".xinitrc": "session start",
	".xsession": "session start", ".gitconfig": "git commands", "config.fish": "shell start-up",
}

// NeverWritten reports whether a path leads to something of that kind. It
// compares without case, as some file systems do.
func NeverWritten(name string) bool {
	parts := Components(Fold(name))
	for i, part := range parts {
		if neverWrittenNames[part] != "" {
			return true
		}
		if part != ".git" {
			continue
		}
		if i+1 == len(parts) {
			return true // the repository itself, or a .git file that points elsewhere
		}
		switch next := parts[i+1]; {
		case next == "hooks", next == "config", next == "config.worktree", next == "modules",
			next == "info", next == "worktrees", next == "objects", next == "refs", next == "head",
			strings.HasPrefix(next, "config."):
			return true
		}
	}
	return false
}

// IsSnapshotRef reports whether a git reference may be one of the bridge's
// snapshots: they are the way back.
func IsSnapshotRef(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "snapshot") || strings.Contains(name, "refs/bridge")
}
