package paths

import (
	"strings"
)

// Protected is a name that no command may write, because a file of this name
// makes other programs run code later, outside the sandbox. Names are compared
// without regard to case, as some file systems do.
type Protected struct {
	Name string
	// Why says what the file would run or change.
	Why string
	// Reserve means that the sandbox holds the name in a workspace even if it
	// does not exist, since creating it has the same effect as changing it.
	Reserve bool
	// Content, if not empty, makes the placeholder of an absent name a file
	// with this text, rather than an empty folder.
	Content string
	// ByGit means that git's own commands write it. A command line may never name
	// it, but the sandbox cannot hold it while git works.
	ByGit bool
}

// protectedNames are protected at any depth of a path. If a name to be reserved
// is absent, the sandbox holds it with an empty folder during the run, which git
// ignores.
var protectedNames = []Protected{
	{Name: ".git", Reserve: true, Why: "a repository's configuration and hooks run programs"},
	{Name: ".gitmodules", Reserve: true, Why: "names addresses and update commands of submodules"},
	{Name: ".gitconfig", Why: "names programs that git runs"},
	{Name: ".husky", Why: "git hooks"},
	{Name: ".githooks", Why: "git hooks"},
	{Name: ".claude", Reserve: true, Why: "settings and hooks of an agent"},
	{Name: ".mcp.json", Reserve: true, Why: "starts MCP servers"},
	{Name: ".codex", Reserve: true, Why: "settings of an agent"},
	{Name: ".gemini", Reserve: true, Why: "settings of an agent"},
	{Name: ".cursor", Reserve: true, Why: "settings and MCP servers of an editor"},
	{Name: ".vscode", Reserve: true, Why: "tasks of an editor"},
	{Name: ".idea", Reserve: true, Why: "run configurations of an editor"},
	{Name: ".envrc", Reserve: true, Why: "runs on entering the folder"},
	{Name: ".bashrc", Why: "shell start-up"},
	{Name: ".bash_profile", Why: "shell start-up"},
	{Name: ".bash_login", Why: "shell start-up"},
	{Name: ".bash_logout", Why: "shell exit"},
	{Name: ".bash_aliases", Why: "shell start-up"},
	{Name: ".profile", Why: "shell start-up"},
	{Name: ".zshrc", Why: "shell start-up"},
	{Name: ".zshenv", Why: "shell start-up"},
	{Name: ".zprofile", Why: "shell start-up"},
	{Name: ".zlogin", Why: "shell start-up"},
	{Name: ".zlogout", Why: "shell exit"},
	{Name: ".kshrc", Why: "shell start-up"},
	{Name: ".cshrc", Why: "shell start-up"},
	{Name: ".tcshrc", Why: "shell start-up"},
	{Name: ".login", Why: "shell start-up"},
	{Name: "config.fish", Why: "shell start-up"},
	{Name: ".inputrc", Why: "key bindings run commands"},
	{Name: ".xprofile", Why: "session start"},
	{Name: ".xinitrc", Why: "session start"},
	{Name: ".xsession", Why: "session start"},
}

// protectedInGit are protected names in a .git folder.
var protectedInGit = []Protected{
	{Name: "hooks", Reserve: true, Why: "programs that git runs"},
	{Name: "config", Reserve: true, Content: "\n", Why: "names programs that git runs"},
	{Name: "config.worktree", Reserve: true, Content: "\n", Why: "as config"},
	{Name: "commondir", Reserve: true, Content: ".\n", Why: "makes git read its configuration and hooks elsewhere"},
	{Name: "modules", Reserve: true, Why: "configuration and hooks of submodules"},
	{Name: "worktrees", Reserve: true, Why: "commondir and configuration of worktrees"},
	{Name: "refs/bridge", Why: "the bridge's snapshots"},
	{Name: "info/attributes", Why: "chooses filters"},
	{Name: "objects/info/alternates", Why: "makes git read objects elsewhere"},
	{Name: "info", ByGit: true, Why: "attributes choose filters; exclude hides files from snapshots"},
	{Name: "objects", ByGit: true, Why: "history and snapshots"},
	{Name: "refs", ByGit: true, Why: "history and snapshots"},
	{Name: "HEAD", ByGit: true, Why: "history and snapshots"},
	{Name: "packed-refs", ByGit: true, Why: "history and snapshots"},
}

// ProtectedNames returns the names that no command may write, at any depth.
func ProtectedNames() []Protected { return protectedNames }

// ProtectedInGit returns the names in a .git folder that no command may write.
// Some contain a slash, such as refs/bridge.
func ProtectedInGit() []Protected { return protectedInGit }

var (
	protectedNameIndex  = indexNames(protectedNames)
	protectedInGitIndex = indexNames(protectedInGit)
)

func indexNames(rows []Protected) map[string]string {
	out := make(map[string]string, len(rows))
	for _, p := range rows {
		out[Fold(p.Name)] = p.Why
	}
	return out
}

// IsProtectedName reports whether a name without a slash is protected in any
// folder.
func IsProtectedName(name string) bool { return protectedNameIndex[Fold(name)] != "" }

// Surveyed reports whether a survey of a workspace has to look at a name: it is
// protected, may be a file of secrets (.env), or may make its folder a git
// repository (HEAD). The survey itself decides which of these applies. In a
// folder without such names, only the subfolders matter.
func Surveyed(name string) bool {
	name = Fold(name)
	return protectedNameIndex[name] != "" || strings.HasPrefix(name, ".env") || name == "head"
}

// NeverWritten reports whether a path leads to something that no command may
// write. Inside a .git folder, only the names of the table are protected.
func NeverWritten(name string) bool {
	parts := Components(Fold(name))
	for i, part := range parts {
		if protectedNameIndex[part] == "" {
			continue
		}
		if part != ".git" || i+1 == len(parts) {
			return true // .git itself: the repository, or a file that points to it
		}
		next := parts[i+1]
		if protectedInGitIndex[next] != "" || strings.HasPrefix(next, "config.") {
			return true
		}
	}
	return false
}

// IsSnapshotRef reports whether a git reference may be one of the bridge's
// snapshots, which are needed to restore the workspace.
func IsSnapshotRef(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "snapshot") || strings.Contains(name, "refs/bridge")
}
