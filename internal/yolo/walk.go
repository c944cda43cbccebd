package yolo

import (
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// yoloShell starts the one shell that yolo mode uses: no start-up files.
var yoloShell = []string{"/bin/bash", "--noprofile", "--norc", "-c"}

// planYolo walks the whole command and refuses known disasters. What passes
// runs in bash byte for byte.
func (g *guard) planYolo(command string) (*Plan, error) {
	w := &walker{g: g, downloads: map[string]bool{}}
	s := &state{dirs: []string{g.workspace.lexical}, vars: map[string]value{}, funcs: map[string]*syntax.FuncDecl{}, straight: true}
	if err := w.nested(command, s, input{}); err != nil {
		return nil, err
	}
	return &Plan{Shell: append(append([]string(nil), yoloShell...), command)}, nil
}

// walker is one walk over a command and the shells nested in it.
type walker struct {
	g         *guard
	count     int
	depth     int
	assigns   map[string]int
	calling   []string
	downloads map[string]bool // base names that this command downloads
	kills     bool            // some command here ends processes
	fetched   bool            // something was downloaded under a name we cannot know
}

// state is what is known of the shell at one point. A copy is a subshell.
type state struct {
	dirs     []string // where the shell may be; nil when that cannot be known
	visited  []string // every folder entered since the statement began
	vars     map[string]value
	funcs    map[string]*syntax.FuncDecl
	straight bool   // this runs exactly once, so an assignment is a fact
	forever  bool   // inside a loop that does not end by itself
	holder   string // the placeholder of xargs -I or find -exec
}

func (s *state) copy() *state {
	c := *s
	c.vars = make(map[string]value, len(s.vars))
	for k, v := range s.vars {
		c.vars[k] = v
	}
	c.straight = false
	return &c
}

// input says where a command's standard input comes from.
type input struct {
	kind inputKind
	text string // a here-document's literal text
	// fetched: something upstream is a download.
	fetched bool
	// dumped: something upstream prints the environment.
	dumped bool
	// toArgs: something downstream turns lines into arguments.
	toArgs bool
	// toRemoval: and those arguments are removed, moved or changed.
	toRemoval bool
}

type inputKind int

const (
	inputNone inputKind = iota
	inputFile
	inputText
	inputPipe // a pipe, a process substitution, or text that cannot be known
)

// nested parses and walks a shell text: the command itself, or what is given to
// bash -c, eval-like options and heredocs of shells.
func (w *walker) nested(code string, s *state, in input) error {
	if strings.ContainsRune(code, unknownMark) {
		return errors.New("shell code that cannot be known is refused: write it literally")
	}
	w.depth++
	defer func() { w.depth-- }()
	if w.depth > maxNesting {
		return errNesting
	}
	file, err := newParser().Parse(strings.NewReader(code), "")
	if err != nil {
		return fmt.Errorf("this is not valid shell: %s", parseFault(err))
	}
	if err := w.measure(file); err != nil {
		return err
	}
	w.kills = w.kills || callsAny(file, killers)
	outer := w.assigns
	w.assigns = countAssigns(file)
	defer func() { w.assigns = outer }()
	if err := forkBomb(file); err != nil {
		return err
	}
	return w.stmts(file.Stmts, s, in)
}

var errNesting = fmt.Errorf("nesting is deeper than %d levels: put the work into a script", maxNesting)

// measure holds the limits on size and nesting.
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
	if w.count > maxCommands {
		return fmt.Errorf("more than %d commands: put the work into a script", maxCommands)
	}
	if deepest > maxNesting {
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
		if !contains(out, dir) {
			out = append(out, dir)
		}
	}
	if len(out) > most {
		return nil
	}
	return out
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

func (w *walker) stmt(stmt *syntax.Stmt, s *state, in input) error {
	if stmt.Background || stmt.Coprocess {
		if s.forever {
			return errors.New("background commands in an endless loop are a fork bomb")
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
	case *syntax.TestClause, *syntax.ArithmCmd, *syntax.LetClause:
		return w.substitutions(cmd, s)
	case *syntax.IfClause, *syntax.WhileClause, *syntax.ForClause, *syntax.CaseClause:
		return w.control(cmd, s, in)
	}
	return errors.New("this kind of command is not known to the guard")
}

func (w *walker) binary(cmd *syntax.BinaryCmd, s *state, in input) error {
	if cmd.Op == syntax.Pipe || cmd.Op == syntax.PipeAll {
		return w.pipe(cmd, s, in)
	}
	before := s.dirs
	if err := w.stmt(cmd.X, s, in); err != nil {
		return err
	}
	straight := s.straight
	s.straight = false
	if cmd.Op == syntax.OrStmt && before != nil && s.dirs != nil {
		s.dirs = union(before, s.dirs)
	}
	err := w.stmt(cmd.Y, s, in)
	s.straight = straight
	return err
}

// pipe walks a pipeline's stages, each a subshell, with what flows between them.
func (w *walker) pipe(cmd *syntax.BinaryCmd, s *state, in input) error {
	stages := flatten(cmd, nil)
	toArgs := make([]bool, len(stages)+1)
	toRemoval := make([]bool, len(stages)+1)
	for i := len(stages) - 1; i >= 0; i-- {
		makes := callsAny(stages[i], argumentMakers)
		toArgs[i] = toArgs[i+1] || makes
		toRemoval[i] = toRemoval[i+1] || (makes && callsAny(stages[i], removers))
	}
	for i, stage := range stages {
		in.toArgs, in.toRemoval = toArgs[i+1], toRemoval[i+1]
		if in.dumped && callsAny(stage, networkTools) {
			return errors.New("the environment must not be sent over the network")
		}
		if err := w.stmt(stage, s.copy(), in); err != nil {
			return err
		}
		in = input{
			kind:    inputPipe,
			fetched: in.fetched || callsAny(stage, downloaders),
			dumped:  in.dumped || callsAny(stage, environmentDumps),
		}
		if in.fetched && i+1 < len(stages) && callsAny(stages[i+1], unpackers) {
			w.fetched = true
		}
	}
	return nil
}

func flatten(cmd *syntax.BinaryCmd, into []*syntax.Stmt) []*syntax.Stmt {
	for _, side := range []*syntax.Stmt{cmd.X, cmd.Y} {
		inner, ok := side.Cmd.(*syntax.BinaryCmd)
		if ok && (inner.Op == syntax.Pipe || inner.Op == syntax.PipeAll) && len(side.Redirs) == 0 {
			into = flatten(inner, into)
			continue
		}
		into = append(into, side)
	}
	return into
}

// callsAny reports whether some plain word in command position below the node
// is one of the names. It is a hint about what flows, not a judgement.
func callsAny(node syntax.Node, names map[string]string) bool {
	hit := false
	syntax.Walk(node, func(n syntax.Node) bool {
		if decl, ok := n.(*syntax.DeclClause); ok && names[decl.Variant.Value] != "" {
			hit = true
		}
		if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			for i, arg := range call.Args {
				if name := arg.Lit(); names[baseName(name)] != "" && (i == 0 || wrappers[baseName(call.Args[0].Lit())] != nil) {
					hit = true
				}
			}
		}
		return !hit
	})
	return hit
}

// function walks a body where it is defined, and again where it is called.
func (w *walker) function(f *syntax.FuncDecl, s *state, in input) error {
	for _, name := range w.calling {
		if name == f.Name.Value {
			return nil
		}
	}
	w.calling = append(w.calling, f.Name.Value)
	defer func() { w.calling = w.calling[:len(w.calling)-1] }()
	if len(w.calling) > 8 {
		return errNesting
	}
	straight := s.straight
	s.straight = false
	err := w.stmt(f.Body, s, in)
	s.straight = straight
	return err
}

// control walks if, while, for and case. Every branch is walked.
func (w *walker) control(cmd syntax.Command, s *state, in input) error {
	straight := s.straight
	s.straight = false
	defer func() { s.straight = straight }()
	switch c := cmd.(type) {
	case *syntax.IfClause:
		for branch := c; branch != nil; branch = branch.Else {
			if err := w.stmts(branch.Cond, s, in); err != nil {
				return err
			}
			if err := w.stmts(branch.Then, s, in); err != nil {
				return err
			}
		}
	case *syntax.WhileClause:
		if err := w.stmts(c.Cond, s, in); err != nil {
			return err
		}
		return w.loopBody(c.Do, s, in, isEndless(c.Cond))
	case *syntax.ForClause:
		return w.forLoop(c, s, in)
	case *syntax.CaseClause:
		if err := w.substitutions(c.Word, s); err != nil {
			return err
		}
		for _, item := range c.Items {
			for _, pattern := range item.Patterns {
				if err := w.substitutions(pattern, s); err != nil {
					return err
				}
			}
			if err := w.stmts(item.Stmts, s, in); err != nil {
				return err
			}
		}
	}
	return nil
}

func isEndless(cond []*syntax.Stmt) bool {
	if len(cond) != 1 {
		return false
	}
	call, ok := cond[0].Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) > 0 && contains([]string{"true", ":", "false", "[", "test"}, call.Args[0].Lit())
}

func (w *walker) loopBody(body []*syntax.Stmt, s *state, in input, forever bool) error {
	outer := s.forever
	s.forever = outer || forever
	defer func() { s.forever = outer }()
	// Twice: a cd in the body moves the next turn.
	if err := w.stmts(body, s, in); err != nil {
		return err
	}
	if changesFolder(body) {
		return w.stmts(body, s, in)
	}
	return nil
}

func changesFolder(body []*syntax.Stmt) bool {
	for _, stmt := range body {
		if callsAny(stmt, folderChangers) {
			return true
		}
	}
	return false
}

// forLoop walks the body once for each literal item, so that a target named in
// the list is judged; otherwise the variable is unknown.
func (w *walker) forLoop(c *syntax.ForClause, s *state, in input) error {
	const most = 16
	iter, ok := c.Loop.(*syntax.WordIter)
	if !ok {
		loop, _ := c.Loop.(*syntax.CStyleLoop)
		if err := w.substitutions(c.Loop, s); err != nil {
			return err
		}
		return w.loopBody(c.Do, s, in, loop == nil || loop.Cond == nil)
	}
	var items []value
	for _, item := range iter.Items {
		values, err := w.word(item, s)
		if err != nil {
			return err
		}
		for _, v := range values {
			if err := w.checkSecret(v, s); err != nil {
				return err
			}
		}
		items = append(items, values...)
	}
	name := iter.Name.Value
	defer delete(s.vars, name)
	if len(items) == 0 || len(items) > most || w.assigns[name] != 1 || c.Select {
		delete(s.vars, name)
		return w.loopBody(c.Do, s, in, false)
	}
	for _, item := range items {
		s.vars[name] = item
		if err := w.loopBody(c.Do, s, in, false); err != nil {
			return err
		}
	}
	return nil
}
