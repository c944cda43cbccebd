package yolo

import (
	"fmt"
	"strings"
)

// command is one program of the tables.
type command struct {
	mode    Mode   // the narrowest mode that has it
	why     string // why it is there
	builtin bool   // done inside the bridge
	// check judges the arguments and gives the argument list to run, without
	// the name.
	check func(g *guard, args []word) ([]string, error)
}

// planNoShell builds the plan of safe and restricted mode.
func (g *guard) planNoShell(text string) (*Plan, error) {
	list, err := parseList(text)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Steps: make([]Step, 0, len(list.steps))}
	for _, s := range list.steps {
		step := Step{When: s.when}
		for _, c := range s.stages {
			stage, err := g.stage(c)
			if err != nil {
				return nil, err
			}
			step.Stages = append(step.Stages, stage)
		}
		plan.Steps = append(plan.Steps, step)
	}
	return plan, nil
}

func (g *guard) stage(c simpleCommand) (Stage, error) {
	name := c.words[0].text
	cmd, ok := commands[name]
	if !ok || !cmd.mode.Within(g.mode) {
		return Stage{}, g.unknownCommand(name, ok)
	}
	argv, err := cmd.check(g, c.words[1:])
	if err != nil {
		return Stage{}, fmt.Errorf("%s: %w", name, err)
	}
	stage := Stage{Argv: append([]string{name}, argv...), Builtin: cmd.builtin, Redirects: c.redirects}
	if cmd.builtin || g.lookPath == nil {
		return stage, nil
	}
	if stage.Path, err = g.lookPath(name); err != nil {
		return Stage{}, fmt.Errorf("%s cannot be run: %w", name, err)
	}
	if !isAbs(stage.Path) || g.workspace.holds(cleanPath(stage.Path)) {
		return Stage{}, fmt.Errorf("%s is found inside the workspace: programs must come from the system", name)
	}
	return stage, nil
}

func (g *guard) unknownCommand(name string, known bool) error {
	if known {
		return fmt.Errorf("%s needs restricted mode: ask the operator for it", short(name))
	}
	return fmt.Errorf("%s is not in the table of %s mode: use one of %s", short(name), g.mode, strings.Join(Programs(g.mode), " "))
}

// operandRule judges a command's operands; it may replace each by several.
type operandRule func(g *guard, p *parsed) (map[int][]string, error)

// standard makes the check of a command with a table and one rule for operands.
func standard(s *spec, operands operandRule) func(*guard, []word) ([]string, error) {
	return func(g *guard, args []word) ([]string, error) {
		p, err := s.read(g, args)
		if err != nil {
			return nil, err
		}
		replaced, err := operands(g, p)
		if err != nil {
			return nil, err
		}
		return p.build(replaced), nil
	}
}

// build gives the final argument list.
func (p *parsed) build(replaced map[int][]string) []string {
	out := make([]string, 0, len(p.argv))
	for i, w := range p.argv {
		if list, ok := replaced[i]; ok {
			out = append(out, list...)
			continue
		}
		out = append(out, w.text)
	}
	return out
}

// paths expands and checks operands from index first on, each by accept.
func (g *guard) paths(p *parsed, first int, accept func(string) error) (map[int][]string, error) {
	var replaced map[int][]string
	for i := first; i < len(p.operands); i++ {
		at := p.operands[i]
		list, err := g.onePath(p.argv[at], accept)
		if err != nil {
			return nil, err
		}
		if p.argv[at].isGlob() {
			if replaced == nil {
				replaced = map[int][]string{}
			}
			replaced[at] = list
		}
	}
	return replaced, nil
}

func (g *guard) onePath(w word, accept func(string) error) ([]string, error) {
	if !w.isGlob() {
		if w.text == "-" {
			return []string{"-"}, nil
		}
		if w.text == "" {
			return nil, fmt.Errorf("an empty path is not allowed")
		}
		return []string{w.text}, accept(w.text)
	}
	list, err := g.expand(w.pattern, w.text)
	if err != nil {
		return nil, err
	}
	for _, name := range list {
		if err := accept(name); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// noGlobs refuses globs in operands that are data, not files.
func (p *parsed) noGlobs(to int) error {
	for i := 0; i < to && i < len(p.operands); i++ {
		if p.operand(i).isGlob() {
			return fmt.Errorf("%s is an unquoted glob where no file name belongs: quote it with '...'", short(p.operand(i).text))
		}
	}
	return nil
}

func readOperands(g *guard, p *parsed) (map[int][]string, error) { return g.paths(p, 0, g.readable) }

func noOperands(_ *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) > 0 {
		return nil, fmt.Errorf("operands are not allowed: %s", short(p.operand(0).text))
	}
	return nil, nil
}
