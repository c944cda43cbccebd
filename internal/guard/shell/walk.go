package shell

import (
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"example.org/bridge/internal/guard/verdict"

	"mvdan.cc/sh/v3/syntax"
)

// bash starts the only shell that yolo mode uses, without start-up files.
var bash = []string{"/bin/bash", "--noprofile", "--norc", "-c"}

// Check walks a whole command and refuses known disasters. An accepted command is
// run by bash unchanged: Check returns the argument list.
func Check(world *paths.World, command string) ([]string, error) {
	w := &walker{world: world, downloads: map[string]bool{}, pipes: map[string]bool{}}
	s := &state{dirs: []string{world.Workspace.Lexical}, vars: map[string]value{}, funcs: map[string]*syntax.FuncDecl{}, runsOnce: true}
	if err := w.nested(command, s, input{}); err != nil {
		return nil, err
	}
	return append(slices.Clone(bash), command), nil
}

// walker holds the state of one walk over a command and the shells nested in it.
type walker struct {
	world     *paths.World
	count     int
	depth     int
	assigns   map[string]int
	filled    map[string]bool // variables that builtins read from input
	calling   []string
	downloads map[string]bool // base names of the files that this command downloads
	pipes     map[string]bool // base names of the FIFOs that this command makes
	cloned    []string        // folders that this command downloads as a whole
	homeNames bool            // names from a tree with a home folder are kept in a variable or a file
	workTrees []value         // what git's working tree is set to
	// calculates: the text contains arithmetic, which evaluates texts.
	calculates bool
	kills      bool // the command kills processes somewhere
	fetched    bool // something was downloaded under a name that cannot be determined
}

// state describes the shell at one point, as far as it can be determined. A copy
// is used for a subshell.
type state struct {
	dirs     []string // folders that the shell may be in; nil if they cannot be determined
	visited  []string // every folder entered since the statement began
	vars     map[string]value
	funcs    map[string]*syntax.FuncDecl
	runsOnce bool // this code runs exactly once, so that an assignment in it is certain
	forever  bool // inside a loop that does not end by itself
}

func (s *state) copy() *state {
	c := *s
	c.vars = make(map[string]value, len(s.vars))
	for k, v := range s.vars {
		c.vars[k] = v
	}
	c.runsOnce = false
	return &c
}

const (
	inputNone inputKind = iota
	inputFile
	inputText
	inputPipe // a pipe, a process substitution, or text that cannot be determined
)

// nested parses and walks a shell text: the command itself, or one that is given
// to bash -c, to options that evaluate it, or to a shell in a here-document.
func (w *walker) nested(code string, s *state, in input) error {
	if strings.ContainsRune(code, unknownMark) {
		return verdict.Refuse(verdict.UnknownCode, "the shell code is not known before the command runs: write it literally")
	}
	w.depth++
	defer func() { w.depth-- }()
	if w.depth > verdict.MaxNesting {
		return errNesting
	}
	file, err := verdict.Parse(code)
	if err != nil {
		return verdict.Refuse(verdict.SyntaxError, "this is not valid shell (%s)", verdict.ParseFault(err))
	}
	if err := w.measure(file); err != nil {
		return err
	}
	w.kills = w.kills || callsAny(file, killers())
	w.calculates = w.calculates || calculates(file)
	outer := w.assigns
	w.assigns = countAssigns(file)
	w.noteFilled(file)
	for name, n := range outer {
		w.assigns[name] += n
	}
	defer func() { w.assigns = outer }()
	if w.depth > 1 { // another shell, which has none of this shell's variables
		s = s.copy()
		s.vars, s.funcs = map[string]value{}, map[string]*syntax.FuncDecl{}
	}
	if err := forkBomb(file); err != nil {
		return err
	}
	return w.stmts(file.Stmts, s, in)
}

var errNesting = verdict.Refuse(verdict.TooLarge, "nesting is deeper than %d levels: put the work into a script", verdict.MaxNesting)

// measure enforces the limits on size and nesting.
func (w *walker) measure(file *syntax.File) error {
	deep, deepest := []bool{}, 0
	level := 0
	syntax.Walk(file, func(node syntax.Node) bool {
		if node == nil {
			if deep[len(deep)-1] {
				level--
			}
			deep = deep[:len(deep)-1]
			return true
		}
		isDeep := false
		switch node.(type) {
		case *syntax.CallExpr, *syntax.DeclClause, *syntax.TestClause, *syntax.LetClause:
			w.count++
		case *syntax.Block, *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst, *syntax.IfClause,
			*syntax.WhileClause, *syntax.ForClause, *syntax.CaseClause:
			isDeep = true
			level++
		}
		deep = append(deep, isDeep)
		deepest = max(deepest, level)
		return true
	})
	if w.count > verdict.MaxCommands {
		return verdict.Refuse(verdict.TooLarge, "more than %d commands: put the work into a script", verdict.MaxCommands)
	}
	if deepest > verdict.MaxNesting {
		return errNesting
	}
	return nil
}

func (w *walker) stmts(list []*syntax.Stmt, s *state, in input) error {
	for _, stmt := range list {
		s.visited = append([]string(nil), s.dirs...)
		known := s.dirs != nil
		if err := w.stmt(stmt, s, in); err != nil {
			return err
		}
		if known && s.dirs != nil {
			s.dirs = union(s.visited, s.dirs) // any cd may have failed
		}
	}
	return nil
}

func union(a, b []string) []string {
	const most = 8
	out := append([]string(nil), a...)
	for _, dir := range b {
		if !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	if len(out) > most {
		return nil
	}
	return out
}

func (w *walker) stmt(stmt *syntax.Stmt, s *state, in input) error {
	if stmt.Background || stmt.Coprocess {
		if s.forever {
			return verdict.Refuse(verdict.ForkBomb, "background commands in an endless loop are a fork bomb")
		}
		s = s.copy()
	}
	in, err := w.redirects(stmt, s, in)
	if err != nil {
		return err
	}
	return w.command(stmt, s, in)
}

func (w *walker) command(stmt *syntax.Stmt, s *state, in input) error {
	switch cmd := stmt.Cmd.(type) {
	case nil:
		return nil
	case *syntax.CallExpr:
		return w.call(cmd, stmt, s, in)
	case *syntax.BinaryCmd:
		return w.binary(cmd, s, in)
	case *syntax.Block:
		return w.stmts(cmd.Stmts, s, in)
	case *syntax.Subshell:
		return w.stmts(cmd.Stmts, s.copy(), in)
	case *syntax.FuncDecl:
		s.funcs[cmd.Name.Value] = cmd
		return w.function(cmd, s, in)
	case *syntax.TimeClause:
		if cmd.Stmt == nil {
			return nil
		}
		return w.stmt(cmd.Stmt, s, in)
	case *syntax.CoprocClause:
		return w.stmt(cmd.Stmt, s.copy(), input{kind: inputPipe})
	case *syntax.DeclClause:
		return w.declaration(cmd, s)
	case *syntax.TestClause:
		if err := w.checkTest(cmd); err != nil {
			return err
		}
		return w.substitutions(cmd, s)
	case *syntax.ArithmCmd, *syntax.LetClause:
		if err := w.checkArithmetic(cmd); err != nil {
			return err
		}
		return w.substitutions(cmd, s)
	case *syntax.IfClause, *syntax.WhileClause, *syntax.ForClause, *syntax.CaseClause:
		return w.control(cmd, s, in)
	}
	return verdict.Refuse(verdict.SyntaxError, "the guard does not support this kind of command")
}
