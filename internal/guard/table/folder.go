package table

import (
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// changeFolder follows `cd DIR && ...`: the commands after it run in DIR, or fail
// if DIR is not a folder.
func (g *guard) changeFolder(list *List, at int) error {
	step := list.Steps[at]
	words := step.Stages[0].Words
	switch {
	case len(step.Stages) > 1 || len(step.Stages[0].Redirects) > 0 || len(step.Stages[0].Assigns) > 0:
		return verdict.Refuse(verdict.ShellSyntax, "cd in a pipe or with a redirection has no effect: write cd DIR && COMMAND")
	case at+1 < len(list.Steps) && list.Steps[at+1].When != verdict.OnSuccess, step.When == verdict.OnFailure:
		return verdict.Refuse(verdict.ShellSyntax, "cd is only allowed if the commands after it depend on it: write cd DIR && COMMAND")
	case len(words) != 2 || words[1].IsGlob() || strings.HasPrefix(words[1].Text, "-") || words[1].Text == "":
		return verdict.Refuse(verdict.BadOperand, "cd needs one plain folder: write cd DIR && COMMAND")
	}
	if err := g.inWorkspace(words[1].Text); err != nil {
		return err
	}
	dir := paths.Clean(paths.Join(g.dir, words[1].Text))
	if paths.NeverWritten(dir) {
		return verdict.Refuse(verdict.ProtectedPath, "%s configures git, an editor, a shell or an agent, and no command may run in it", verdict.Short(words[1].Text))
	}
	g.dir = dir
	return nil
}

func checkCd(_ *guard, args []Word) ([]string, error) { return plain(args), nil }

// checkStatus checks true and false, which take no arguments.
func checkStatus(_ *guard, args []Word) ([]string, error) {
	if len(args) > 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "it takes no arguments: leave them out")
	}
	return nil, nil
}

// ownRepository refuses a folder in the workspace that is, or lies in, a git
// repository of its own: the bridge overrides only the configuration of the
// workspace's repository.
func (g *guard) ownRepository(dir string) error {
	for at := paths.Clean(dir); g.world.Workspace.Holds(at) && at != g.world.Workspace.Lexical; at = paths.Clean(at + "/..") {
		_, isRepository := g.world.FS.Lstat(at + "/.git")
		_, hasHead := g.world.FS.Lstat(at + "/HEAD")
		_, hasObjects := g.world.FS.Lstat(at + "/objects")
		if isRepository == nil || (hasHead == nil && hasObjects == nil) {
			return verdict.Refuse(verdict.GitSetting, "%s is a repository of its own inside the workspace: ask your human to open that folder", verdict.Short(dir))
		}
	}
	return nil
}
