package table

import (
	"example.org/bridge/internal/guard/verdict"
)

// The tables of linters for Go. Left out, and so refused: other configuration
// files, which name plugins, and places to write to.
var (
	golangciSpec = table([]row{
		{names: "-v --verbose --fix --fast --fast-only --new --tests --no-config --show-stats -h --help", why: "what is checked and changed"},
		{names: "-E -D --enable --disable --timeout --build-tags --max-issues-per-linter --max-same-issues -j --concurrency", value: keyword, why: "which rules and how many"},
		{names: "--new-from-rev", value: custom, check: checkRef, why: "what is checked"},
	})
	staticcheckSpec = table([]row{
		{names: "-tests -show-ignored -version -matrix -merge", why: "what is checked"},
		{names: "-f -go -explain", value: keyword, why: "how it is printed"},
		{names: "-checks -fail -tags", value: custom, check: checkFeatures, why: "which rules"},
	}, withDashValues)
)

func checkGolangci(g *guard, args []Word) ([]string, error) {
	if len(args) == 0 || args[0].IsGlob() {
		return nil, unknownSubcommand("", "run fmt version")
	}
	name := args[0].Text
	switch name {
	case "run", "fmt", "version", "linters", "--version":
	default:
		return nil, unknownSubcommand(name, "run fmt linters version")
	}
	p, err := golangciSpec.read(g, args[1:])
	if err != nil {
		return nil, err
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	return append([]string{name}, p.build(nil)...), goPackages(g, p)
}

func checkStaticcheck(g *guard, args []Word) ([]string, error) {
	p, err := staticcheckSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if len(p.operands) == 0 && !p.has("-version", "-explain") {
		return nil, verdict.Refuse(verdict.BadOperand, "no package is named: write ./...")
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	return p.build(nil), goPackages(g, p)
}
