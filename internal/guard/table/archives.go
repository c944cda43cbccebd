package table

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// Archives are only listed, and packed files only printed. Nothing is unpacked.
var (
	gzipSpec = table(join(helpRows, []row{
		{names: "-c --stdout -d --decompress -l --list -t --test -v --verbose -q --quiet", why: "what is printed"},
	}))
	unzipSpec = table([]row{{names: "-l -v -p -t -q -Z -1 -h", why: "what is printed"}})
)

// checkGzip requires an option that leaves the file as it is.
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

// checkUnzip lists an archive, or prints what is in it.
func checkUnzip(g *guard, args []Word) ([]string, error) {
	p, err := unzipSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if !p.has("-l", "-v", "-p", "-t", "-Z", "-h") {
		return nil, verdict.Refuse(verdict.UnknownOption, "archives are not unpacked: list one with -l, or print a file of it with -p")
	}
	return p.build(nil), g.archiveOperands(p)
}

// archiveOperands are an archive, and names of what is in it.
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
			return verdict.Refuse(verdict.BadOperand, "a name with a colon is a place on another machine: name a file in the workspace")
		}
		if err := g.readable(name); err != nil {
			return err
		}
	}
	return nil
}

// checkTar lists an archive: letters of tar's old and new style, and the names.
// Any other option is refused, since many run programs.
func checkTar(g *guard, args []Word) ([]string, error) {
	refusal := verdict.Refuse(verdict.UnknownOption, "archives are only listed: write tar -tf FILE, with z, j, J or v among the letters")
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
