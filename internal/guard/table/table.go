// Package table judges commands in safe and restricted mode, where no shell
// runs. The command is parsed by a full shell parser, but only a small grammar
// is accepted (simple commands joined by | && || ;), and each program and each
// of its options must be in a table. The result is the steps that would run:
// argument lists that the bridge built itself, how they are connected, and the
// few redirections that are allowed. Anything that is not in a table is
// refused, so that an omission refuses something harmless rather than allowing
// something harmful.
//
//   - grammar.go and words.go turn bytes into words, and refuse all expansion.
//   - options.go parses the options of all programs. It follows getopt:
//     clusters, attached values, --long=value and "--". Abbreviated options
//     are refused.
//   - options_*.go contain the rows: command, option, kind of value, and why.
//   - programs.go contains the programs; reach.go decides which paths a
//     program may name.
package table

import (
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"
)

// Scope is the context in which a command is judged.
type Scope struct {
	World *paths.World
	Mode  verdict.Mode
	// LookPath returns the absolute path of a program. If it is nil, Stage.Path
	// stays empty.
	LookPath func(name string) (string, error)
}

// guard holds the state of one decision.
type guard struct {
	world    *paths.World
	mode     verdict.Mode
	lookPath func(string) (string, error)
	// dir is the folder that relative paths start from: the workspace, or the
	// folder of the last cd.
	dir string
}

// program is one program of the tables.
type program struct {
	mode    verdict.Mode // the narrowest mode that allows it
	why     string       // what it does, for the plan's summary
	builtin bool         // done by the bridge itself
	// check checks the arguments and returns the argument list to run, without
	// the program's name.
	check func(g *guard, args []Word) ([]string, error)
}

// Judge returns the steps that a parsed command would run, or the reason why it
// is refused.
func Judge(list *List, scope Scope) ([]verdict.Step, error) {
	g := &guard{world: scope.World, mode: scope.Mode, lookPath: scope.LookPath, dir: scope.World.Workspace.Lexical}
	steps := make([]verdict.Step, 0, len(list.Steps))
	for i, s := range list.Steps {
		step := verdict.Step{When: s.When}
		if s.Stages[0].Words[0].Text == "cd" {
			if err := g.changeFolder(list, i); err != nil {
				return nil, fmt.Errorf("cd: %w", err)
			}
		}
		for _, c := range s.Stages {
			stage, err := g.stage(c)
			if err != nil {
				return nil, err
			}
			step.Stages = append(step.Stages, stage)
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// Summary names the programs of a plan, each with its purpose.
func Summary(steps []verdict.Step) string {
	var names []string
	seen := map[string]bool{}
	for _, step := range steps {
		for _, stage := range step.Stages {
			if name := stage.Argv[0]; !seen[name] {
				seen[name] = true
				names = append(names, name+" ("+programs[name].why+")")
			}
		}
	}
	return strings.Join(names, ", ")
}

// runsAs are names of shell scripts in gzip's package that start a single
// program. The bridge starts that program itself, so that no shell runs and PATH
// is not searched.
var runsAs = map[string][]string{"zcat": {"gzip", "-cd"}, "gunzip": {"gzip", "-d"}}

func (g *guard) stage(c Command) (verdict.Stage, error) {
	name := c.Words[0].Text
	known, ok := programs[name]
	if !ok || !known.mode.Within(g.mode) {
		return verdict.Stage{}, g.unknownProgram(name, ok)
	}
	argv, err := known.check(g, c.Words[1:])
	if err != nil {
		return verdict.Stage{}, fmt.Errorf("%s: %w", name, err)
	}
	if as := runsAs[name]; as != nil {
		name, argv = as[0], append(slices.Clone(as[1:]), argv...)
	}
	stage := verdict.Stage{Argv: append([]string{name}, argv...), Builtin: known.builtin, Redirects: c.Redirects}
	if g.dir != g.world.Workspace.Lexical {
		stage.Dir = g.dir
	}
	if stage.Env, err = g.environment(c.Assigns); err != nil {
		return verdict.Stage{}, err
	}
	if known.builtin || g.lookPath == nil {
		return stage, nil
	}
	if stage.Path, err = g.lookPath(name); err != nil {
		return verdict.Stage{}, verdict.Refuse(verdict.ProgramLocation, "%s cannot be run, because %s", name, err)
	}
	if !paths.IsAbs(stage.Path) || g.world.Workspace.Holds(paths.Clean(stage.Path)) {
		return verdict.Stage{}, verdict.Refuse(verdict.ProgramLocation, "%s was found inside the workspace, but programs must come from the system", name)
	}
	return stage, nil
}

func (g *guard) unknownProgram(name string, known bool) error {
	if known {
		return verdict.Refuse(verdict.NeedsRestricted, "%s needs restricted mode: ask your human for it", verdict.Short(name))
	}
	names := "ls cat head tail grep rg find sed jq sort cut wc diff"
	if g.mode == verdict.ModeRestricted {
		names += " git npm npx pnpm yarn python pytest uv node go cargo make mkdir cp mv rm"
	}
	return verdict.Refuse(verdict.UnknownProgram, "%s is not allowed in %s mode: use a program such as %s", verdict.Short(name), g.mode, names)
}

// operandRule checks a command's operands. It may replace an operand with
// several.
type operandRule func(g *guard, p *parsed) (map[int][]string, error)

// standard returns the check for a command with a table and one rule for its
// operands.
func standard(s *spec, operands operandRule) func(*guard, []Word) ([]string, error) {
	return func(g *guard, args []Word) ([]string, error) {
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

// build returns the final argument list.
func (p *parsed) build(replaced map[int][]string) []string {
	out := make([]string, 0, len(p.argv))
	for i, w := range p.argv {
		if list, ok := replaced[i]; ok {
			out = append(out, list...)
			continue
		}
		out = append(out, w.Text)
	}
	return out
}

// paths expands the operands from index first on, and checks each with accept.
func (g *guard) paths(p *parsed, first int, accept func(string) error) (map[int][]string, error) {
	var replaced map[int][]string
	for i := first; i < len(p.operands); i++ {
		at := p.operands[i]
		list, err := g.onePath(p.argv[at], accept)
		if err != nil {
			return nil, err
		}
		if p.argv[at].IsGlob() {
			if replaced == nil {
				replaced = map[int][]string{}
			}
			replaced[at] = list
		}
	}
	return replaced, nil
}

func (g *guard) onePath(w Word, accept func(string) error) ([]string, error) {
	if !w.IsGlob() {
		if w.Text == "" {
			return nil, verdict.Refuse(verdict.BadOperand, "an empty path is not allowed")
		}
		return []string{w.Text}, accept(w.Text)
	}
	list, err := g.expand(w.Pattern, w.Text)
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

// noGlobs refuses globs in operands that are data and not files.
func (p *parsed) noGlobs(to int) error {
	for i := 0; i < to && i < len(p.operands); i++ {
		if p.operand(i).IsGlob() {
			return verdict.Refuse(verdict.ShellGlob, "%s is an unquoted glob where no file name belongs: quote it with '...'", verdict.Short(p.operand(i).Text))
		}
	}
	return nil
}

func readOperands(g *guard, p *parsed) (map[int][]string, error) { return g.paths(p, 0, g.readable) }

func listOperands(g *guard, p *parsed) (map[int][]string, error) { return g.paths(p, 0, g.listable) }

func noOperands(_ *guard, p *parsed) (map[int][]string, error) {
	if len(p.operands) > 0 {
		return nil, verdict.Refuse(verdict.BadOperand, "the argument %s is not allowed", verdict.Short(p.operand(0).Text))
	}
	return nil, nil
}

// IsSafe reports whether safe mode allows a program.
func IsSafe(name string) bool {
	p, known := programs[name]
	return known && p.mode == verdict.ModeSafe
}
