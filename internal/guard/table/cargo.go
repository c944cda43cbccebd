package table

import (
	"fmt"
	"strings"

	"example.org/bridge/internal/guard/verdict"
)

var nodeSpec = table(nodeRows, stopAtOperand)

// checkNode allows a script of the workspace, or its tests.
func checkNode(g *guard, args []Word) ([]string, error) {
	p, err := nodeSpec.read(g, args)
	if err != nil {
		return nil, err
	}
	if p.has("--test") {
		replaced, err := g.paths(p, 0, func(name string) error {
			if strings.HasPrefix(name, "-") {
				return verdict.Refuse(verdict.BadOperand, "an option after the tests is not allowed: put options before the tests")
			}
			return g.inWorkspace(name)
		})
		return p.build(replaced), err
	}
	if len(p.operands) == 0 {
		if p.has("-v", "--version", "-h", "--help") {
			return plain(args), nil
		}
		return nil, verdict.Refuse(verdict.PipedCode, "interactive code and code from a pipe are not allowed: name a script in the workspace")
	}
	if p.operand(0).Text == "inspect" || p.operand(0).Text == "debug" {
		return nil, verdict.Refuse(verdict.InlineCode, "the debugger is not allowed")
	}
	return g.scriptAndArguments(p)
}

var (
	cargoBuildSpec = table(cargoRows)
	cargoTestSpec  = table(join(cargoRows, cargoTestRows))
	cargoRunSpec   = table(cargoRows, stopAtOperand)
	cargoDocSpec   = table(join(cargoRows, []row{{names: "--no-deps --document-private-items", why: "what is described"}}))
	cargoLintSpec  = table(join(cargoRows, []row{{names: "--no-deps --fix --allow-dirty --allow-staged", why: "what is checked and changed"}}))
	cargoFmtSpec   = table([]row{{names: "--all --check -v --verbose -q --quiet", why: "what is changed"}, {names: "-p --package", value: keyword, why: "a package of this project"}})
	cargoTreeSpec  = table([]row{
		{names: "--workspace --all-features --no-default-features --locked --offline -d --duplicates -q --quiet", why: "what is listed"},
		{names: "-p --package -i --invert -e --edges --depth --prefix", value: keyword, why: "what is listed"},
	})
	cargoCleanSpec = table([]row{{names: "-r --release --doc -n --dry-run -q --quiet", why: "what is removed of the build"}, {names: "-p --package", value: keyword, why: "a package of this project"}})
	cargoCommands  = map[string]cargoCommand{
		"build": {cargoBuildSpec, false}, "b": {cargoBuildSpec, false},
		"check": {cargoBuildSpec, false}, "c": {cargoBuildSpec, false},
		"doc": {cargoDocSpec, false}, "d": {cargoDocSpec, false},
		"tree": {cargoTreeSpec, false}, "clean": {cargoCleanSpec, false},
		"test": {cargoTestSpec, true}, "t": {cargoTestSpec, true}, "bench": {cargoTestSpec, true},
		"run": {cargoRunSpec, true}, "r": {cargoRunSpec, true},
		"clippy": {cargoLintSpec, true}, "fmt": {cargoFmtSpec, true},
	}
)

// cargoCommand is a subcommand of cargo. It says whether arguments for the
// program that it starts may follow.
type cargoCommand struct {
	spec      *spec
	arguments bool
}

func checkCargo(g *guard, args []Word) ([]string, error) {
	if len(args) == 0 {
		return nil, verdict.Refuse(verdict.UnknownSubcommand, "no subcommand is given: use build, check, test or run")
	}
	name := args[0].Text
	if len(args) == 1 && (name == "--version" || name == "-V") {
		return []string{name}, nil
	}
	sub, ok := cargoCommands[name]
	if !ok || args[0].IsGlob() {
		return nil, unknownSubcommand(name, "build check test run bench clippy fmt doc tree clean")
	}
	p, err := sub.spec.read(g, args[1:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	for i := range p.operands {
		operand := p.operand(i).Text
		if !sub.arguments || name == "fmt" && operand != "--check" {
			return nil, verdict.Refuse(verdict.BadOperand, "%s takes no argument such as %s", name, verdict.Short(operand))
		}
		if name == "clippy" && !lintLevel(p, i) {
			return nil, verdict.Refuse(verdict.BadOperand, "clippy takes only lint levels such as -D warnings after --, not %s", verdict.Short(operand))
		}
		if err := g.checkData(operand); err != nil {
			return nil, err
		}
	}
	return plain(args), nil
}

// lintLevel reports whether an operand sets a lint level (-A, -W, -D, -F) or is
// the lint that follows one. Any other operand there would be passed to the
// compiler.
func lintLevel(p *parsed, i int) bool {
	operand := p.operand(i).Text
	if level, lint, ok := strings.Cut(operand, "clippy::"); ok && len(level) == 2 {
		operand = level + lint
	}
	if len(operand) >= 2 && operand[0] == '-' && strings.IndexByte("AWDF", operand[1]) >= 0 {
		return len(operand) == 2 || verdict.IsKeyword(operand[2:])
	}
	return i > 0 && len(p.operand(i-1).Text) == 2 && lintLevel(p, i-1) && verdict.IsKeyword(strings.ReplaceAll(operand, "::", "_"))
}

func checkFeatures(_ *guard, value string) error {
	for i := range len(value) {
		c := value[i]
		alnum := (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		if !alnum && strings.IndexByte("-_+,./ ?", c) < 0 {
			return verdict.Refuse(verdict.BadOptionValue, "this value is not allowed: write a list of features")
		}
	}
	return nil
}

// checkCargoWord refuses files: a target that ends in .json is a file that can
// name a linker.
func checkCargoWord(_ *guard, value string) error {
	if !verdict.IsKeyword(value) || strings.Contains(value, ".json") {
		return verdict.Refuse(verdict.BadOptionValue, "this value is not allowed: write one plain word")
	}
	return nil
}
