package table

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// The tables of small programs that print names, numbers and facts.
var (
	nameSpec     = table(join(helpRows, []row{{names: "-a -z --multiple --zero", why: "layout"}, {names: "-s --suffix", value: text, why: "an ending that is left out"}}))
	realSpec     = table(join(helpRows, []row{{names: "-e -f -m -s -z -n -q --canonicalize --canonicalize-existing --canonicalize-missing --no-symlinks --strip --zero --no-newline --quiet", why: "how links are followed"}}))
	seqSpec      = table(join(helpRows, []row{{names: "-w --equal-width", why: "layout"}, {names: "-s -f --separator --format", value: text, why: "layout"}}))
	unameSpec    = table(join(helpRows, []row{{names: "-a -s -n -r -v -m -p -i -o --all --kernel-name --kernel-release --machine --operating-system", why: "what is printed"}}))
	nprocSpec    = table(join(helpRows, []row{{names: "--all", why: "what is counted"}}))
	idSpec       = table(join(helpRows, []row{{names: "-u -g -G -n -r --user --group --groups --name", why: "what is printed"}}))
	hostnameSpec = table(join(helpRows, []row{{names: "-s --short", why: "what is printed"}}))
	lscpuSpec    = table(join(helpRows, []row{{names: "-J -b -y --json --bytes --physical", why: "how it is printed"}, {names: "-e -p --extended --parse", value: keyword, optional: true, why: "columns"}}))
	calSpec      = table([]row{{names: "-1 -3 -y -j -m -s", why: "which months, and layout"}})
	pgrepSpec    = table(join(helpRows, []row{{names: "-l -a -f -x -c -n -o -i -v --list-name --list-full --full --exact --count --newest --oldest --ignore-case", why: "which processes, and what is printed"}, {names: "-u -P -s -d --euid --parent --session --delimiter", value: keyword, why: "which processes"}}))
	teeSpec      = table(join(helpRows, []row{{names: "-a -i --append --ignore-interrupts", why: "how it is written"}}))
	uptimeSpec   = table(join(helpRows, []row{{names: "-p -s --pretty --since", why: "how it is printed"}}))
	gofmtSpec    = table([]row{{names: "-l -w -d -s -e", why: "what is printed and changed"}})
)

func plainSpec(name string) *spec { return table(join(helpRows, plainRows[name])) }

// checkPrintf prints text; its operands are never opened.
func checkPrintf(_ *guard, args []Word) ([]string, error) {
	for _, w := range args {
		if w.IsGlob() {
			return nil, verdict.Refuse(verdict.ShellGlob, "%s is an unquoted glob: quote it with '...'", verdict.Short(w.Text))
		}
	}
	if len(args) == 0 || strings.HasPrefix(args[0].Text, "-") {
		return nil, verdict.Refuse(verdict.BadOperand, "printf needs a format: quote it with '...'")
	}
	return plain(args), nil
}

// writeOrNothing is for formatters that read a pipe where no file is named.
func writeOrNothing(g *guard, p *parsed) (map[int][]string, error) {
	return g.paths(p, 0, g.writable)
}

// checkCommand allows `command -v NAME`, which runs nothing.
func checkCommand(g *guard, args []Word) ([]string, error) {
	if len(args) < 2 || args[0].Text != "-v" {
		return nil, verdict.Refuse(verdict.BadOperand, "only command -v NAME is allowed: to run a program, write its name")
	}
	return checkNames("-v")(g, args)
}

// checkBracket is test in its other spelling.
func checkBracket(g *guard, args []Word) ([]string, error) {
	last := len(args) - 1
	if last < 0 || args[last].Text != "]" {
		return nil, verdict.Refuse(verdict.SyntaxError, "[ needs a ] at the end: write [ -f FILE ]")
	}
	argv, err := checkTest(g, args[:last])
	return append(argv, "]"), err
}
