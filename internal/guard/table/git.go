package table

import (
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// gitCommand is one allowed subcommand.
type gitCommand struct {
	spec  *spec
	check func(g *guard, p *parsed) (map[int][]string, error)
	// add are options that the bridge always adds.
	add []string
}

var gitCommands = map[string]gitCommand{
	"status":   {table(gitStatusRows), gitPaths, []string{"--ignore-submodules=all"}},
	"log":      {table(join(gitDiffRows, gitLogRows, gitWalkRows), withDigits), gitPaths, noPrograms},
	"diff":     {table(join(gitDiffRows, gitOnlyDiffRows)), gitPaths, noPrograms},
	"show":     {table(join(gitDiffRows, gitLogRows), withDigits), gitPaths, noPrograms},
	"blame":    {table(gitBlameRows), gitPaths, []string{"--no-textconv"}},
	"branch":   {table(gitBranchRows), gitBranch, nil},
	"add":      {table(gitAddRows), gitAdd, nil},
	"commit":   {table(gitCommitRows), gitCommit, nil},
	"push":     {table(gitPushRows), gitPush, nil},
	"pull":     {table(gitPullRows), gitPull, nil},
	"checkout": {table(gitCheckoutRows), gitCheckout, nil},
}

var noPrograms = []string{"--no-ext-diff", "--no-textconv", "--ignore-submodules=all"}

var gitOnlyDiffRows = []row{
	{names: "--cached --staged --merge-base", why: "what is compared; --no-index would read any file"},
	{names: "--base --ours --theirs", why: "which side of a conflict"},
}

// checkGit allows --no-pager, a subcommand of the table, and its options. It puts
// the overrides before them.
func checkGit(g *guard, args []Word) ([]string, error) {
	args, folder, err := g.gitGlobals(args)
	if err != nil {
		return nil, err
	}
	if folder != "" {
		defer func(dir string) { g.dir = dir }(g.dir)
		g.dir = paths.Clean(paths.Join(g.dir, folder))
	}
	if err := g.ownRepository(g.dir); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, verdict.Refuse(verdict.UnknownSubcommand, "no subcommand is given: name one, such as status")
	}
	name := args[0].Text
	if name == "--version" && len(args) == 1 {
		return []string{name}, nil
	}
	sub, ok := gitSubcommand(name)
	if !ok || args[0].IsGlob() {
		return nil, unknownSubcommand(name, "status log diff show blame branch add commit push pull fetch merge rebase cherry-pick revert checkout switch restore stash tag remote rev-parse rev-list ls-files cat-file describe shortlog grep mv rm")
	}
	p, err := sub.spec.read(g, args[1:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	replaced, err := sub.check(g, p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	argv := gitPrefix()
	if folder != "" {
		argv = append(argv, "-C", folder)
	}
	argv = append(argv, name)
	argv = append(argv, sub.add...)
	return append(argv, p.build(replaced)...), nil
}

// gitSubcommand looks up an allowed subcommand in all tables.
func gitSubcommand(name string) (gitCommand, bool) {
	for _, table := range []map[string]gitCommand{gitCommands, gitMoreCommands, gitHistoryCommands} {
		if sub, ok := table[name]; ok {
			return sub, true
		}
	}
	return gitCommand{}, false
}

// gitGlobals removes --no-pager and -C DIR from the front. DIR must lie in the
// workspace.
func (g *guard) gitGlobals(args []Word) (rest []Word, folder string, err error) {
	for len(args) > 0 {
		switch {
		case args[0].Text == "--no-pager":
			args = args[1:]
		case args[0].Text == "-C" && len(args) > 1 && folder == "" && !args[1].IsGlob():
			folder = args[1].Text
			if err := g.inWorkspace(folder); err != nil {
				return nil, "", err
			}
			if paths.NeverWritten(paths.Clean(paths.Join(g.dir, folder))) {
				return nil, "", verdict.Refuse(verdict.ProtectedPath, "git must not run inside %s", verdict.Short(folder))
			}
			args = args[2:]
		default:
			return args, folder, nil
		}
	}
	return args, folder, nil
}

func unknownSubcommand(name, known string) error {
	if strings.HasPrefix(name, "-") {
		return verdict.Refuse(verdict.UnknownOption, "option %s before the subcommand is not allowed: leave it out", verdict.Short(name))
	}
	return verdict.Refuse(verdict.UnknownSubcommand, "subcommand %s is not allowed: use one of %s", verdict.Short(name), known)
}

func gitPrefix() []string {
	argv := make([]string, 0, 2*len(gitOverrides)+16)
	argv = append(argv, "--no-pager")
	for _, o := range gitOverrides {
		argv = append(argv, "-c", o.setting)
	}
	return argv
}

// gitOperand accepts a revision or a path. Read as a path, it must lie in the
// workspace, so that git never compares files elsewhere.
func (g *guard) gitOperand(name string) error {
	if strings.Contains(name, "::") && !strings.HasPrefix(name, ":") {
		return verdict.Refuse(verdict.GitAddress, "an address with a helper (::) is not allowed")
	}
	at := strings.LastIndexByte(name, ':')
	if paths.IsSecretFile(name[at+1:]) {
		return verdict.ErrSecretFile
	}
	return g.inWorkspace(name)
}

func gitPaths(g *guard, p *parsed) (map[int][]string, error) { return g.paths(p, 0, g.gitOperand) }

func gitAdd(g *guard, p *parsed) (map[int][]string, error) { return g.paths(p, 0, g.gitOperand) }

// gitBranch refuses to delete or move snapshot branches, which are needed to
// restore the workspace.
func gitBranch(_ *guard, p *parsed) (map[int][]string, error) {
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	changes := p.has("-d", "--delete", "-m", "--move", "-c", "--copy")
	listing := p.has("-l", "--list", "-a", "-r", "--all", "--remotes")
	for i := range p.operands {
		name := p.operand(i).Text
		if changes && paths.IsSnapshotRef(name) {
			return nil, verdict.Refuse(verdict.GitHistory, "snapshot branches are needed to restore files, and must not be deleted or moved")
		}
		if listing && !changes {
			continue // patterns
		}
		if err := checkRef(nil, name); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// gitCommit requires a message, because the editor is replaced by a program that
// does nothing.
func gitCommit(g *guard, p *parsed) (map[int][]string, error) {
	switch {
	case p.has("-m", "--message", "--fixup", "--dry-run", "--short", "--porcelain"):
	case p.has("--amend") && p.has("--no-edit"):
	default:
		return nil, verdict.Refuse(verdict.BadOperand, "no editor is opened: give the message with -m")
	}
	return g.paths(p, 0, g.gitOperand)
}

// gitPush accepts the name of a remote and plain refspecs.
func gitPush(g *guard, p *parsed) (map[int][]string, error) {
	if err := g.gitRemote(p); err != nil {
		return nil, err
	}
	for i := 1; i < len(p.operands); i++ {
		from, to, both := strings.Cut(p.operand(i).Text, ":")
		if strings.HasPrefix(from, "+") {
			return nil, verdict.Refuse(verdict.GitDiscards, "a refspec with + forces the push: leave it out")
		}
		if from == "" {
			return nil, verdict.Refuse(verdict.GitDiscards, "a refspec without a source deletes the branch at the remote: name the source")
		}
		if err := checkRef(nil, from); err != nil {
			return nil, err
		}
		if both {
			if err := checkRef(nil, to); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

func gitPull(g *guard, p *parsed) (map[int][]string, error) {
	if err := g.gitRemote(p); err != nil {
		return nil, err
	}
	for i := 1; i < len(p.operands); i++ {
		if err := checkRef(nil, p.operand(i).Text); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// gitRemote accepts the name of a configured remote. If the workspace has a
// folder of that name, git could take it for a repository and run its hooks.
func (g *guard) gitRemote(p *parsed) error {
	if err := p.noGlobs(len(p.operands)); err != nil {
		return err
	}
	if len(p.operands) == 0 {
		return nil
	}
	name := p.operand(0).Text
	for i := range len(name) {
		c := name[i]
		plain := (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (i > 0 && (c == '-' || c == '.'))
		if !plain {
			return verdict.Refuse(verdict.GitAddress, "%s is not the name of a remote: name a configured remote, not an address or a path", verdict.Short(name))
		}
	}
	if name == "" || strings.Contains(name, "..") {
		return verdict.Refuse(verdict.GitAddress, "the remote has no name: name a configured remote")
	}
	for _, inside := range []string{name + "/HEAD", name + "/.git", name + ".git/HEAD", name + ".git"} {
		if _, err := g.world.FS.Lstat(paths.Join(g.dir, inside)); err == nil {
			return verdict.Refuse(verdict.GitAddress, "%s is also a repository in the workspace: rename the folder", verdict.Short(name))
		}
	}
	return nil
}

// gitCheckout switches branches, or restores single named paths.
func gitCheckout(g *guard, p *parsed) (map[int][]string, error) {
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	if len(p.operands) == 0 && len(p.options) == 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "checkout needs a branch or a path: name one")
	}
	for i := range p.operands {
		name := p.operand(i).Text
		if strings.HasPrefix(name, ":") || strings.ContainsAny(name, "*?[") {
			return nil, verdict.Refuse(verdict.ShellGlob, "patterns are not allowed: name the paths one by one")
		}
		isPath := p.dashes >= 0 && i >= p.dashes
		if name == "-" && !isPath {
			continue
		}
		if g.isWorkspaceTop(name) {
			return nil, verdict.Refuse(verdict.GitDiscards, "this would throw away all changes: name the paths one by one")
		}
		if err := g.writable(name); err != nil {
			return nil, err
		}
		if !isPath {
			if err := checkRef(nil, name); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// checkRef accepts revisions and branch names. It refuses options and special
// syntax.
func checkRef(_ *guard, name string) error {
	if name == "" || strings.ContainsAny(name[:1], "-+:/") || strings.ContainsAny(name, " \t\n\\*?[:") {
		return verdict.Refuse(verdict.BadOperand, "%s is not a plain branch or revision: write a name, HEAD~1 or a commit", verdict.Short(name))
	}
	return nil
}

func checkBranchName(_ *guard, name string) error {
	if strings.ContainsAny(name, "~^") || strings.Contains(name, "..") {
		return verdict.Refuse(verdict.BadOperand, "%s is not a branch name: write a plain name", verdict.Short(name))
	}
	return checkRef(nil, name)
}

var gitPretty = []string{"oneline", "short", "medium", "full", "fuller", "reference", "email", "raw"}

// checkPretty refuses formats that run gpg, and names that the repository's own
// configuration may define.
func checkPretty(_ *guard, value string) error {
	switch {
	case strings.Contains(value, "%G"):
		return verdict.Refuse(verdict.GitSetting, "%%G runs gpg: leave it out")
	case strings.Contains(value, "%"), slices.Contains(gitPretty, value):
		return nil
	case strings.HasPrefix(value, "format:"), strings.HasPrefix(value, "tformat:"):
		return nil
	}
	return verdict.Refuse(verdict.BadOptionValue, "this format is not known: use a built-in one, or one with %% signs")
}

func checkRefFormat(_ *guard, value string) error {
	if strings.Contains(value, "signature") || strings.Contains(value, "%G") {
		return verdict.Refuse(verdict.GitSetting, "signatures run gpg: leave them out")
	}
	return nil
}
