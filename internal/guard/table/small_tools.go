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

// checkPrintf checks printf, whose operands are printed and never opened.
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

// writeOrNothing checks the operands of formatters, which read standard input if
// no file is named.
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

// checkBracket checks [, the other name of test.
func checkBracket(g *guard, args []Word) ([]string, error) {
	last := len(args) - 1
	if last < 0 || args[last].Text != "]" {
		return nil, verdict.Refuse(verdict.SyntaxError, "[ needs a ] at the end: write [ -f FILE ]")
	}
	argv, err := checkTest(g, args[:last])
	return append(argv, "]"), err
}

// Archives may be listed, and compressed files printed. Nothing is unpacked.
var (
	gzipSpec = table(join(helpRows, []row{
		{names: "-c --stdout -d --decompress -l --list -t --test -v --verbose -q --quiet", why: "what is printed"},
	}))
	unzipSpec = table([]row{{names: "-l -v -p -t -q -Z -1 -h", why: "what is printed"}})
)

// checkGzip requires an option with which the file is left unchanged.
func checkGzip(g *guard, args []Word) ([]string, error) {
	p, err := gzipSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if !p.has("-c", "--stdout", "-l", "--list", "-t", "--test", "-h", "--help", "--version") {
		return nil, verdict.Refuse(verdict.UnknownOption, "the file would be replaced: add -c, and read the output")
	}
	replaced, err := readOperands(g, p)
	return p.build(replaced), err
}

// checkUnzip allows listing an archive, or printing named files of it.
func checkUnzip(g *guard, args []Word) ([]string, error) {
	p, err := unzipSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if !p.has("-l", "-v", "-p", "-t", "-Z", "-h") {
		return nil, verdict.Refuse(verdict.UnknownOption, "archives are not unpacked: list one with -l, or print a file of it with -p")
	}
	if p.has("-p") {
		if len(p.operands) < 2 {
			return nil, verdict.Refuse(verdict.BadOperand, "-p alone prints every file of the archive: name one file")
		}
		for i := 1; i < len(p.operands); i++ {
			if strings.ContainsAny(p.operand(i).Text, "*?[") {
				return nil, verdict.Refuse(verdict.BadOperand, "-p with a pattern prints every file that matches: name the files of the archive one by one")
			}
		}
	}
	return p.build(nil), g.archiveOperands(p)
}

// archiveOperands checks an archive and the names of files in it.
func (g *guard) archiveOperands(p *parsed) error {
	if err := p.noGlobs(len(p.operands)); err != nil {
		return err
	}
	for i := range p.operands {
		name := p.operand(i).Text
		if i > 0 {
			if err := g.notSecretFile(name); err != nil {
				return err
			}
			continue
		}
		if strings.Contains(name, ":") {
			return verdict.Refuse(verdict.BadOperand, "a name with a colon means a file on another machine: name a file in the workspace")
		}
		if err := g.readable(name); err != nil {
			return err
		}
	}
	return nil
}

// checkTar allows listing an archive: the letters of tar's old and new style, and
// names. Any other option is refused, since many of them run programs.
func checkTar(g *guard, args []Word) ([]string, error) {
	refusal := verdict.Refuse(verdict.UnknownOption, "archives may only be listed: write tar -tf FILE, with z, j, J or v among the letters")
	if len(args) < 2 || args[0].IsGlob() {
		return nil, refusal
	}
	letters := strings.TrimPrefix(args[0].Text, "-")
	if strings.Trim(letters, "tvzjJf") != "" || !strings.Contains(letters, "t") || !strings.HasSuffix(letters, "f") || strings.Count(letters, "f") != 1 {
		return nil, refusal
	}
	p := &parsed{argv: args, dashes: -1}
	for i := 1; i < len(args); i++ {
		if strings.HasPrefix(args[i].Text, "-") {
			return nil, refusal
		}
		p.operands = append(p.operands, i)
	}
	return p.build(nil), g.archiveOperands(p)
}
