package table

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// Git commands that join and undo commits, or look at what is recorded. Left out,
// and so refused: going on with a rebase or a series of picks (the list of what
// remains lies in a file, and may run commands), strategies, editing, and
// whatever writes configuration.
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

// gitRemove takes files out of the index, and out of the workspace where they
// may be written. A folder is only taken out of the index.
func gitRemove(g *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) == 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "no path is named: name the paths one by one")
	}
	if p.has("-r") && !p.has("--cached") {
		return nil, verdict.Refuse(verdict.RemovesTooMuch, "a whole folder is not removed: name the files one by one, or add --cached")
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
		return accept(name)
	})
}

// gitOnly allows one word, which only prints, and plain names behind it.
func gitOnly(word string) func(*guard, *parsed) (map[int][]string, error) {
	return func(g *guard, p *parsed) (map[int][]string, error) {
		if len(p.operands) > 0 && p.operand(0).Text != word {
			return nil, verdict.Refuse(verdict.BadOperand, "only the word %s is allowed here", word)
		}
		return gitNames(g, p)
	}
}

// printedSections are those of git's configuration that hold no password.
var printedSections = []string{"user.", "core.", "branch.", "init.", "pull.", "push.", "remote.", "merge.", "diff.", "color."}

// gitConfigGet prints one setting that holds no password.
func gitConfigGet(_ *guard, p *parsed) (map[int][]string, error) {
	if !p.has("--get", "--get-all") || len(p.operands) != 1 || p.operand(0).IsGlob() {
		return nil, verdict.Refuse(verdict.GitSetting, "settings are only printed: write git config --get NAME")
	}
	name := strings.ToLower(p.operand(0).Text)
	for _, section := range printedSections {
		if strings.HasPrefix(name, section) && !strings.ContainsAny(name, " =\n") && !strings.HasSuffix(name, "header") {
			return nil, nil
		}
	}
	return nil, verdict.Refuse(verdict.GitSetting, "%s may hold a password: print settings of user, core, branch, remote and their like", verdict.Short(name))
}
