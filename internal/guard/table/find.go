package table

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// findRows is find's expression language. Not listed, and therefore refused, are
// -exec*, -ok*, -delete, -fprint*, -fls (which write or run), -files0-from (its
// errors print the file), -follow and -L (which leave the tree), -D, and
// -context.
var findRows = []row{
	{names: "-a -and -o -or -not ! ( ) ,", why: "operators"},
	{names: "-true -false -daystart -depth -d -mount -xdev -noleaf -ignore_readdir_race -noignore_readdir_race -warn -nowarn", why: "change nothing but the search"},
	{names: "-empty -executable -readable -writable -nouser -nogroup", why: "tests of metadata"},
	{names: "-print -print0 -ls -prune -quit", why: "actions that only print or end"},
	{names: "-maxdepth -mindepth -amin -cmin -mmin -atime -ctime -mtime -used -links -inum -uid -gid -size", value: number, why: "tests of metadata"},
	{names: "-name -iname -path -ipath -wholename -iwholename -regex -iregex -lname -ilname", value: text, why: "patterns for names"},
	{names: "-user -group -fstype -regextype -type -xtype", value: keyword, why: "tests of metadata"},
	{names: "-perm", value: custom, check: checkPerm, why: "tests of metadata"},
	{names: "-newer -anewer -cnewer -samefile", value: readFile, why: "compares with a file's metadata"},
	{names: "-newermt -newerat -newerct -newerBt", value: custom, check: checkDate, why: "compares with a time"},
	{names: "-newermm -newerma -newermc -neweram -neweraa -newerac -newercm -newerca -newercc", value: readFile, why: "compares with a file's metadata"},
	{names: "-printf", value: text, why: "printed text"},
}

// The options that come before the starting points.
var findFirst = map[string]string{
	"-H": "follows only links that are named", "-P": "follows no links",
	"-O0": "optimisation", "-O1": "optimisation", "-O2": "optimisation", "-O3": "optimisation",
	"--help": "prints about itself", "--version": "prints about itself",
}

var findSpec = table(findRows, withWholeTokens)

func checkPerm(_ *guard, value string) error {
	for i := range len(value) {
		if !strings.ContainsRune("ugoarwxXst+-=,/01234567", rune(value[i])) {
			return verdict.Refuse(verdict.BadOptionValue, "this value is not allowed: write a file mode")
		}
	}
	return nil
}

// checkFind checks options, then starting points, then the expression, which is
// the order that find requires.
func checkFind(g *guard, args []Word) ([]string, error) {
	p := &parsed{argv: append([]Word(nil), args...), dashes: -1}
	i := 0
	for i < len(args) && findFirst[args[i].Text] != "" && !args[i].IsGlob() {
		i++
	}
	for ; i < len(args) && !startsExpression(args[i]); i++ {
		p.operands = append(p.operands, i)
	}
	replaced, err := g.paths(p, 0, g.startingPoint)
	if err != nil {
		return nil, err
	}
	for ; i < len(args); i++ {
		used, err := g.findTerm(p, i)
		if err != nil {
			return nil, err
		}
		i += used
	}
	return p.build(replaced), nil
}

func startsExpression(w Word) bool {
	return strings.HasPrefix(w.Text, "-") || w.Text == "!" || w.Text == "(" || w.Text == ")" || w.Text == ","
}

func (g *guard) startingPoint(name string) error {
	if name == "-" || strings.ContainsAny(name[:1], "!(),") {
		return verdict.Refuse(verdict.BadOperand, "%s is not a starting point: put ./ before it", verdict.Short(name))
	}
	return g.listable(name)
}

// findTerm checks one term of the expression. It returns how many further words
// the term takes.
func (g *guard) findTerm(p *parsed, i int) (int, error) {
	w := p.argv[i]
	r := findSpec.rows()[w.Text]
	switch {
	case w.IsGlob():
		return 0, verdict.Refuse(verdict.ShellGlob, "%s is an unquoted glob: quote it with '...'", verdict.Short(w.Text))
	case r == nil && !startsExpression(w):
		return 0, verdict.Refuse(verdict.BadOperand, "%s comes after the beginning of the expression: put starting points first", verdict.Short(w.Text))
	case r == nil:
		return 0, verdict.Refuse(verdict.BadOperand, "%s is not allowed in find, which may only test and print: leave it out", verdict.Short(w.Text))
	}
	return findSpec.take(g, p, i, found{name: w.Text, row: r})
}
