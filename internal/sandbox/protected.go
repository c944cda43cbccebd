package sandbox

import "strings"

// protectedName is a name at the top of the workspace, or below its .git,
// that a command may never write.
type protectedName struct {
	name string
	// create says to hold the name even where it is absent, since creating
	// it is as good as changing it.
	create bool
	// content, if not empty, makes the placeholder of an absent name a file
	// with this text, rather than an empty folder.
	content string
	why     string
}

// protectedTop are names at the top of the workspace, compared without case.
// An absent one gets an empty folder for the time of the run, which git does
// not see.
var protectedTop = []protectedName{
	{name: ".git", create: true, why: "a new repository's configuration and hooks run programs"},
	{name: ".gitmodules", create: true, why: "names URLs and update commands of submodules"},
	{name: ".claude", create: true, why: "settings and hooks of an agent"},
	{name: ".mcp.json", create: true, why: "starts MCP servers"},
	{name: ".codex", create: true, why: "settings of an agent"},
	{name: ".gemini", create: true, why: "settings of an agent"},
	{name: ".cursor", create: true, why: "settings and MCP servers of an editor"},
	{name: ".vscode", create: true, why: "tasks of an editor"},
	{name: ".idea", create: true, why: "run configurations of an editor"},
	{name: ".envrc", create: true, why: "runs on entering the folder"},
	{name: ".husky", why: "git hooks"},
	{name: ".githooks", why: "git hooks"},
	{name: ".bashrc", why: "shell start-up"},
	{name: ".bash_profile", why: "shell start-up"},
	{name: ".bash_login", why: "shell start-up"},
	{name: ".bash_logout", why: "shell start-up"},
	{name: ".bash_aliases", why: "shell start-up"},
	{name: ".profile", why: "shell start-up"},
	{name: ".zshrc", why: "shell start-up"},
	{name: ".zshenv", why: "shell start-up"},
	{name: ".zprofile", why: "shell start-up"},
	{name: ".zlogin", why: "shell start-up"},
	{name: ".zlogout", why: "shell start-up"},
	{name: ".inputrc", why: "key bindings run commands"},
}

// protectedGit are names in a .git folder.
var protectedGit = []protectedName{
	{name: "hooks", create: true, why: "programs that git runs"},
	{name: "config", create: true, content: "\n", why: "names programs that git runs"},
	{name: "config.worktree", create: true, content: "\n", why: "as config"},
	{name: "commondir", create: true, content: ".\n", why: "makes git read its configuration and hooks elsewhere"},
	{name: "modules", create: true, why: "configuration and hooks of submodules"},
	{name: "worktrees", create: true, why: "commondir and configuration of worktrees"},
	{name: "refs/bridge", why: "the bridge's snapshots"},
}

// Protected returns the names at the top of a workspace that no command can
// write, and those below its .git, with a slash. Names are compared without
// case.
func Protected() []string {
	names := make([]string, 0, len(protectedTop)+len(protectedGit))
	for _, p := range protectedTop {
		names = append(names, p.name)
	}
	for _, p := range protectedGit {
		names = append(names, ".git/"+p.name)
	}
	return names
}

// protectedEntry reports whether name, at the top of a workspace, is protected.
func protectedEntry(name string) bool {
	for _, p := range protectedTop {
		if strings.EqualFold(p.name, name) {
			return true
		}
	}
	return false
}
