package table

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// Further git commands. Not listed, and therefore refused, are dropping stashes,
// deleting tags, restoring everything at once, and merges with custom strategies.

var gitMoreCommands = map[string]gitCommand{
	"fetch": {table([]row{
		{names: "-p --prune --tags --no-tags --all -q --quiet -v --verbose --progress --no-progress --dry-run --no-recurse-submodules", why: "what is fetched"},
		{names: "--depth -j --jobs", value: number, why: "how much is fetched"},
	}), gitPull, nil},
	"stash": {table([]row{
		{names: "-u --include-untracked -k --keep-index --no-keep-index -q --quiet -S --staged --index --stat --name-only --name-status", why: "what is kept and printed"},
		{names: "-p --patch", why: "the changes of a stash are shown"},
		{names: "-m --message", value: text, why: "the message"},
	}), gitStash, nil},
	"tag": {table([]row{
		{names: "-l --list -n -i --ignore-case --no-column", why: "what is listed"},
		{names: "--sort --contains --points-at --merged", value: text, optional: true, why: "which tags are listed"},
		{names: "-a --annotate", why: "a note is kept"},
		{names: "-m --message", value: text, why: "the note"},
	}), gitTag, nil},
	"remote": {table([]row{{names: "-v --verbose", why: "what is listed"}}), gitListing, nil},
	"rev-parse": {table([]row{
		{names: "--show-toplevel --abbrev-ref --short --verify -q --quiet --symbolic-full-name --is-inside-work-tree --is-bare-repository --show-prefix --show-cdup", why: "what is printed"},
	}), gitPaths, nil},
	"ls-files": {table([]row{
		{names: "-c -d -m -o -i -s -u -z -t --cached --deleted --modified --others --ignored --stage --unmerged --exclude-standard --error-unmatch --full-name --directory", why: "what is listed"},
	}), gitPaths, nil},
	"describe": {table([]row{
		{names: "--tags --all --long --always --dirty --contains --first-parent --exact-match", why: "what is printed"},
		{names: "--abbrev --match --exclude", value: text, optional: true, why: "which tags"},
	}), gitNames, nil},
	"shortlog": {table([]row{
		{names: "-s -n -e -c --summary --numbered --email --all --no-merges", why: "what is printed"},
		{names: "--since --until --after --before --author", value: text, why: "which commits"},
	}), gitPaths, nil},
	"switch": {table([]row{
		{names: "-c --create", value: custom, check: checkBranchName, why: "a new branch; git refuses an existing one"},
		{names: "-q --quiet --detach --guess --no-guess", why: "how the branch is switched"},
	}), gitNames, nil},
	"restore": {table([]row{
		{names: "--staged -S --worktree -W -q --quiet", why: "what is restored"},
		{names: "-s --source", value: custom, check: checkRef, why: "from which commit"},
	}), gitRestore, nil},
	"mv": {table([]row{{names: "-v --verbose -n --dry-run -k", why: "what is moved"}}), gitMove, nil},
	"grep": {table([]row{
		{names: "-n -i -l -L -c -w -v -E -F -P -G -h -H -I -q -a -z --line-number --ignore-case --files-with-matches --name-only --files-without-match --count --word-regexp --invert-match --extended-regexp --fixed-strings --perl-regexp --basic-regexp --heading --break -p --show-function -W --function-context --all-match --cached --untracked", why: "how lines are matched and printed"},
		{names: "-e", value: text, why: "a pattern"},
		{names: "-A -B -C --after-context --before-context --context --max-depth -m --max-count", value: number, why: "how much is printed"},
	}), gitGrep, []string{"--no-textconv"}},
}

// gitStash allows storing and restoring stashes, but not dropping them.
func gitStash(_ *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) == 0 {
		if p.has("-p", "--patch") {
			return nil, verdict.Refuse(verdict.UnknownOption, "-p would ask for each change: leave it out")
		}
		return nil, nil
	}
	if p.operands[0] != 0 { // git would assume push, and would read the word that is taken for a verb here as a path
		return nil, verdict.Refuse(verdict.BadOperand, "the subcommand of stash must come first: write git stash %s ...", verdict.Short(p.operand(0).Text))
	}
	switch verb := p.operand(0).Text; verb {
	case "push", "save", "list", "show", "pop", "apply":
	default:
		return nil, verdict.Refuse(verdict.GitDiscards, "stash %s is not allowed: use push, list, show, pop or apply", verdict.Short(verb))
	}
	if p.has("-p", "--patch") && p.operand(0).Text != "show" {
		return nil, verdict.Refuse(verdict.UnknownOption, "-p would ask for each change: leave it out")
	}
	for i := 1; i < len(p.operands); i++ {
		name := p.operand(i).Text
		if p.operand(i).IsGlob() || (!strings.HasPrefix(name, "stash@{") && !verdict.IsDigits(name) && p.operand(0).Text != "push" && p.operand(0).Text != "save") {
			return nil, verdict.Refuse(verdict.BadOperand, "%s is not a stash: write stash@{0}", verdict.Short(name))
		}
	}
	return nil, nil
}

func gitNames(_ *guard, p *parsed) (map[int][]string, error) {
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	for i := range p.operands {
		if name := p.operand(i).Text; name != "-" {
			if err := checkRef(nil, name); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// gitTag lists tags by pattern, or creates one. It refuses to delete or move
// tags.
func gitTag(g *guard, p *parsed) (map[int][]string, error) {
	if p.has("-l", "--list") {
		return nil, p.noGlobs(len(p.operands))
	}
	return gitNames(g, p)
}

func gitListing(_ *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) > 0 {
		return nil, verdict.Refuse(verdict.GitAddress, "remotes may only be listed: write git remote -v")
	}
	return nil, nil
}

// gitRestore restores single named paths.
func gitRestore(g *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) == 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "no path is named: name the paths one by one")
	}
	for i := range p.operands {
		w := p.operand(i)
		staged := p.has("--staged", "-S") && !p.has("--worktree", "-W")
		if w.IsGlob() || strings.HasPrefix(w.Text, ":") || (!staged && g.isWorkspaceTop(w.Text)) {
			return nil, verdict.Refuse(verdict.GitDiscards, "this would throw away all changes: name the paths one by one")
		}
		if staged {
			if err := g.inWorkspace(w.Text); err != nil {
				return nil, err
			}
			continue
		}
		if err := g.writable(w.Text); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func gitMove(g *guard, p *parsed) (map[int][]string, error) {
	return g.paths(p, 0, func(name string) error {
		if _, err := g.world.FS.Lstat(paths.Join(g.dir, ".gitmodules")); err == nil && g.isFolder(name) {
			return errSubmodule
		}
		if err := g.notSecretFile(name); err != nil {
			return err
		}
		return g.writable(name)
	})
}

// errSubmodule refuses a path that may be a submodule, for which git rm and git
// mv also change .gitmodules.
var errSubmodule = verdict.Refuse(verdict.ProtectedPath, "this may be a submodule, which is recorded in .gitmodules: name the files one by one")

func gitGrep(g *guard, p *parsed) (map[int][]string, error) {
	first := 1
	if p.has("-e") {
		first = 0
	}
	if err := p.noGlobs(first); err != nil {
		return nil, err
	}
	return g.paths(p, first, g.gitOperand)
}

// Git commands that join and undo commits, or print what is recorded. Not listed,
// and therefore refused, are continuing a rebase or a series of picks (the
// remaining steps are in a file and may run commands), strategies, editing, and
// everything that writes configuration.
var gitHistoryCommands = map[string]gitCommand{
	"merge": {table([]row{
		{names: "--no-edit --ff --ff-only --no-ff --squash --no-squash --commit --no-commit --stat -n --no-stat --abort --quit -q --quiet -v --verbose --autostash --no-autostash --no-verify-signatures", why: "how it is joined"},
		{names: "-m", value: text, why: "the message"},
	}), gitNames, nil},
	"rebase": {table([]row{
		{names: "--abort --quit --autostash --no-autostash -q --quiet -v --verbose --stat -n --no-stat --keep-base --fork-point --no-fork-point", why: "how it is joined"},
		{names: "--onto", value: custom, check: checkRef, why: "where commits go"},
	}), gitNames, nil},
	"cherry-pick": {table([]row{
		{names: "-x -n --no-commit --abort --quit -s --signoff --ff --allow-empty", why: "how it is recorded"},
		{names: "-m --mainline", value: number, why: "which parent of a merge"},
	}), gitNames, nil},
	"revert": {table([]row{
		{names: "--no-edit -n --no-commit --abort --quit -s --signoff", why: "how it is recorded"},
		{names: "-m --mainline", value: number, why: "which parent of a merge"},
	}), gitNames, nil},
	"rm": {table([]row{
		{names: "--cached -r -n --dry-run -q --quiet --ignore-unmatch", why: "what is removed; git keeps what has changes"},
	}), gitRemove, nil},
	"cat-file": {table([]row{{names: "-p -t -s -e", why: "what is printed of an object"}}), gitPaths, nil},
	"merge-base": {table([]row{
		{names: "-a --all --is-ancestor --octopus --independent --fork-point", why: "what is printed"},
	}), gitNames, nil},
	"rev-list": {table([]row{
		{names: "--count --all --no-merges --merges --first-parent --left-right --reverse", why: "which commits"},
		{names: "-n --max-count --skip", value: number, why: "how many"},
		{names: "--since --until --after --before --author", value: text, why: "which commits"},
	}), gitPaths, nil},
	"worktree": {table([]row{{names: "--porcelain -v --verbose -z", why: "what is printed"}}), gitOnly("list"), nil},
	"reflog":   {table([]row{{names: "-n --max-count", value: number, why: "how many"}}), gitOnly("show"), nil},
	"config":   {table([]row{{names: "--get --get-all --local -z --null --show-origin", why: "what is printed"}}), gitConfigGet, nil},
}

// gitRemove removes files from the index, and from the workspace if they may be
// written. A folder can only be removed from the index.
func gitRemove(g *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) == 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "no path is named: name the paths one by one")
	}
	if p.has("-r") && !p.has("--cached") {
		return nil, verdict.Refuse(verdict.RemovesTooMuch, "git rm must not remove a whole folder: name the files one by one, or add --cached")
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	accept := g.writable
	if p.has("--cached") {
		accept = g.inWorkspace
	}
	return g.paths(p, 0, func(name string) error {
		if strings.HasPrefix(name, ":") || strings.ContainsAny(name, "*?[") {
			return verdict.Refuse(verdict.ShellGlob, "patterns are not allowed: name the paths one by one")
		}
		if !p.has("--cached") && g.isFolder(name) { // without -r, git removes a folder only if it is a submodule
			return errSubmodule
		}
		return accept(name)
	})
}

// gitOnly allows a single subcommand, which only prints, and plain names after
// it.
func gitOnly(word string) func(*guard, *parsed) (map[int][]string, error) {
	return func(g *guard, p *parsed) (map[int][]string, error) {
		if len(p.operands) > 0 && p.operand(0).Text != word {
			return nil, verdict.Refuse(verdict.BadOperand, "only the word %s is allowed here", word)
		}
		return gitNames(g, p)
	}
}

// printedSections are the sections of git's configuration that contain no
// passwords.
var printedSections = []string{"user.", "core.", "branch.", "init.", "pull.", "push.", "remote.", "merge.", "diff.", "color."}

// isAddress reports whether a setting's value may be an address, which can
// contain a password or a token.
func isAddress(name string) bool {
	at := strings.LastIndexByte(name, '.')
	return slices.Contains([]string{"url", "pushurl", "proxy", "remote", "pushremote", "pushdefault", "insteadof", "pushinsteadof"}, name[at+1:]) || strings.HasSuffix(name, "header")
}

// gitConfigGet allows printing one setting that contains no password.
func gitConfigGet(_ *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) != 1 || p.operand(0).IsGlob() { // git config NAME prints the value too
		return nil, verdict.Refuse(verdict.GitSetting, "git config may only print settings: write git config --get NAME")
	}
	name := strings.ToLower(p.operand(0).Text)
	for _, section := range printedSections {
		if strings.HasPrefix(name, section) && !strings.ContainsAny(name, " =\n") && !isAddress(name) {
			return nil, nil
		}
	}
	return nil, verdict.Refuse(verdict.GitSetting, "%s may contain a password: print settings such as those of user, core and branch, and list remotes with git remote -v", verdict.Short(name))
}
