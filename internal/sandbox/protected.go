package sandbox

import (
	"path/filepath"
	"strings"
)

// protectedName is a name that a command may never write: whoever writes it has
// something run later, outside of the box.
type protectedName struct {
	name string
	// create says to hold the name at the top of the workspace even where it is
	// absent, since creating it is as good as changing it.
	create bool
	// content, if not empty, makes the placeholder of an absent name a file
	// with this text, rather than an empty folder.
	content string
	why     string
}

// protectedNames are protected at every depth, and compared without case. An
// absent one gets an empty folder at the top for the time of the run, which git
// does not see; deeper down a new one is put aside after the run.
var protectedNames = []protectedName{
	{name: ".git", create: true, why: "a repository's configuration and hooks run programs"},
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
	{name: ".gitconfig", why: "names programs that git runs"},
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
	{name: ".kshrc", why: "shell start-up"},
	{name: ".cshrc", why: "shell start-up"},
	{name: ".tcshrc", why: "shell start-up"},
	{name: ".login", why: "shell start-up"},
	{name: ".inputrc", why: "key bindings run commands"},
	{name: ".xprofile", why: "session start-up"},
	{name: ".xinitrc", why: "session start-up"},
	{name: ".xsession", why: "session start-up"},
}

// protectedGit are names in the workspace's own .git folder that stay read-only
// even for a command that writes to the repository.
var protectedGit = []protectedName{
	{name: "hooks", create: true, why: "programs that git runs"},
	{name: "config", create: true, content: "\n", why: "names programs that git runs"},
	{name: "config.worktree", create: true, content: "\n", why: "as config"},
	{name: "commondir", create: true, content: ".\n", why: "makes git read its configuration and hooks elsewhere"},
	{name: "modules", create: true, why: "configuration and hooks of submodules"},
	{name: "worktrees", create: true, why: "commondir and configuration of worktrees"},
	{name: "info/attributes", why: "names filters"},
	{name: "objects/info/alternates", why: "makes git read objects elsewhere"},
	{name: "refs/bridge", why: "snapshots of earlier versions of the bridge"},
}

// bareHead is what makes a folder a repository of its own for git, together
// with "objects" and "refs", or "commondir". It is held at the top where there
// is no .git, and put aside after the run elsewhere.
const bareHead = "HEAD"

// Protected returns the names that no command can write, at any depth of a
// workspace, and those below its .git, with a slash, that not even git can.
// Names are compared without case.
func Protected() []string {
	names := make([]string, 0, len(protectedNames)+len(protectedGit))
	for _, p := range protectedNames {
		names = append(names, p.name)
	}
	for _, p := range protectedGit {
		names = append(names, ".git/"+p.name)
	}
	return names
}

// protectedBy returns why name is protected, or "".
func protectedBy(name string) string {
	if name == "" || name[0] != '.' {
		return ""
	}
	for _, p := range protectedNames {
		if strings.EqualFold(p.name, name) {
			return p.why
		}
	}
	return ""
}

func protectedEntry(name string) bool { return protectedBy(name) != "" }

// protectedComponent returns the first component of a path that is protected.
func protectedComponent(path string) string {
	for part := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if protectedEntry(part) {
			return part
		}
	}
	return ""
}

// envExamples are the endings of .env files that hold no secrets.
var envExamples = []string{".example", ".sample", ".template", ".dist", ".defaults", ".schema"}

// secretEnv reports whether name is that of a file with a project's secrets, as
// the usual loaders read them.
func secretEnv(name string) bool {
	name = strings.ToLower(name)
	if name != ".env" && !strings.HasPrefix(name, ".env.") {
		return false
	}
	for _, end := range envExamples {
		if strings.HasSuffix(name, end) {
			return false
		}
	}
	return true
}
