package table

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

// The tables of linters and formatters for Python. Not listed, and therefore
// refused, are other configuration files, plugins, cache folders, and files that
// are read from standard input under another name.
var (
	ruffRows = []row{
		{names: "-q --quiet -v --verbose -s --silent --fix --no-fix --unsafe-fixes --no-unsafe-fixes --diff --check --show-files --statistics --preview --no-preview --exit-zero --exit-non-zero-on-fix --force-exclude --no-cache -n --isolated --show-settings --add-noqa --ignore-noqa --respect-gitignore -h --help", why: "what is checked and changed"},
		{names: "--select --ignore --extend-select --extend-ignore --fixable --unfixable --per-file-ignores --exclude --extend-exclude", value: text, why: "which rules and files"},
		{names: "--output-format --target-version --line-length --range --color", value: keyword, why: "how results are printed"},
		{names: "--output-file -o", value: writePath, why: "a report in the workspace"},
	}
	mypySpec = table([]row{
		{names: "--strict --ignore-missing-imports --show-error-codes --pretty --no-error-summary --check-untyped-defs --disallow-untyped-defs --no-incremental --show-column-numbers --namespace-packages --explicit-package-bases --warn-unused-ignores --warn-return-any --no-color-output --show-error-context --allow-untyped-defs --no-strict-optional -v --verbose --version -h --help", why: "what is checked and printed"},
		{names: "-p --package -m --module --python-version --platform --follow-imports --exclude --disable-error-code --enable-error-code", value: text, why: "what is checked"},
	})
	blackSpec = table([]row{
		{names: "--check --diff --color --no-color -q --quiet -v --verbose --fast --safe -S --skip-string-normalization -C --preview --version -h --help", why: "what is changed and printed"},
		{names: "-l --line-length -t --target-version", value: keyword, why: "layout"},
		{names: "--exclude --extend-exclude --include --force-exclude", value: text, why: "which files"},
	})
	isortSpec = table([]row{
		{names: "-c --check --check-only --diff -q --quiet -v --verbose --color --atomic --ac -h --help --version", why: "what is changed and printed"},
		{names: "--profile -l --line-length", value: keyword, why: "layout"},
	})
	flake8Spec = table([]row{
		{names: "-q --quiet -v --verbose --count --statistics --show-source --benchmark --version -h --help", why: "what is printed"},
		{names: "--select --ignore --extend-ignore --extend-select --exclude --extend-exclude --per-file-ignores --format", value: text, why: "which rules and files"},
		{names: "--max-line-length --max-complexity -j --jobs", value: keyword, why: "limits"},
	})
	ruffSpec = table(ruffRows)
)

func workOperands(g *guard, p *parsed) (map[int][]string, error) {
	return g.paths(p, 0, func(name string) error {
		if strings.HasPrefix(name, "@") {
			return verdict.Refuse(verdict.BadOperand, "arguments from a file are not allowed: write them out")
		}
		return g.inWorkspace(name)
	})
}

func checkRuff(g *guard, args []Word) ([]string, error) {
	if len(args) == 0 || args[0].IsGlob() {
		return nil, unknownSubcommand("", "check format")
	}
	name := args[0].Text
	switch name {
	case "--version", "version":
		return []string{name}, nil
	case "check", "format", "rule", "linter":
	default:
		return nil, unknownSubcommand(name, "check format")
	}
	p, err := ruffSpec.read(g, args[1:])
	if err != nil {
		return nil, err
	}
	accept := g.writable
	if name == "rule" || name == "linter" {
		accept = func(rule string) error {
			if !verdict.IsKeyword(rule) {
				return verdict.Refuse(verdict.BadOperand, "%s is not the name of a rule", verdict.Short(rule))
			}
			return nil
		}
	}
	replaced, err := g.paths(p, 0, func(operand string) error {
		if operand == "-" {
			return nil
		}
		return accept(operand)
	})
	return append([]string{name}, p.build(replaced)...), err
}

// The tables of linters for Go. Not listed, and therefore refused, are other
// configuration files (which can name plugins), output paths, and staticcheck's
// -matrix, which reads compiler flags from standard input.
var (
	golangciSpec = table([]row{
		{names: "-v --verbose --fix --fast --fast-only --new --tests --no-config --show-stats -h --help", why: "what is checked and changed"},
		{names: "-E -D --enable --disable --timeout --build-tags --max-issues-per-linter --max-same-issues -j --concurrency", value: keyword, why: "which rules and how many"},
		{names: "--new-from-rev", value: custom, check: checkRef, why: "what is checked"},
	})
	staticcheckSpec = table([]row{
		{names: "-tests -show-ignored -version", why: "what is checked"},
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
