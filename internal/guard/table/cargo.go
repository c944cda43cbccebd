package table

import (
	"errors"
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
				return errors.New("options come before the tests")
			}
			return g.inWorkspace(name)
		})
		return p.build(replaced), err
	}
	if len(p.operands) == 0 {
		if p.has("-v", "--version", "-h", "--help") {
			return plain(args), nil
		}
		return nil, errors.New("name a script in the workspace: no interactive interpreter, no code from a pipe")
	}
	if p.operand(0).Text == "inspect" || p.operand(0).Text == "debug" {
		return nil, errors.New("the debugger is not allowed")
	}
	return g.scriptAndArguments(p)
}

var (
	cargoBuildSpec = table(cargoRows)
	cargoTestSpec  = table(join(cargoRows, cargoTestRows))
	cargoRunSpec   = table(cargoRows, stopAtOperand)
	cargoCommands  = map[string]*spec{
		"build": cargoBuildSpec, "b": cargoBuildSpec,
		"test": cargoTestSpec, "t": cargoTestSpec,
		"run": cargoRunSpec, "r": cargoRunSpec,
	}
)

func checkCargo(g *guard, args []Word) ([]string, error) {
	if len(args) == 0 {
		return nil, errors.New("name a subcommand: build, test or run")
	}
	name := args[0].Text
	if len(args) == 1 && (name == "--version" || name == "-V") {
		return []string{name}, nil
	}
	s, ok := cargoCommands[name]
	if !ok || args[0].IsGlob() {
		return nil, unknownSubcommand(name, "build test run")
	}
	p, err := s.read(g, args[1:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := p.noGlobs(len(p.operands)); err != nil {
		return nil, err
	}
	for i := range p.operands {
		operand := p.operand(i).Text
		if s == cargoBuildSpec {
			return nil, fmt.Errorf("%s: operands are not allowed: %s", name, verdict.Short(operand))
		}
		if err := g.checkData(operand); err != nil {
			return nil, err
		}
	}
	return plain(args), nil
}

func checkFeatures(_ *guard, value string) error {
	for i := range len(value) {
		c := value[i]
		alnum := (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		if !alnum && strings.IndexByte("-_+,./ ?", c) < 0 {
			return errors.New("the value must be a list of features")
		}
	}
	return nil
}

// checkCargoWord keeps out files: a target that ends in .json describes linkers.
func checkCargoWord(_ *guard, value string) error {
	if !verdict.IsKeyword(value) || strings.Contains(value, ".json") {
		return errors.New("the value must be one plain word")
	}
	return nil
}
