package edits

import (
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Limits of a script. What is beyond them is not known.
const (
	maxScript = 256 << 10 // bytes
	maxSteps  = 5_000     // statements
	maxNested = 10        // nested scripts
	maxTurns  = 100       // iterations of a loop
)

// walker follows a script in the order of execution, along every branch.
type walker struct {
	home    string
	dir     string // "" if it is not known
	vars    map[string]*string
	targets []Target
	steps   int
	nested  int
	input   input    // of the current command
	before  string   // where "cd -" leads; "" if that is not known
	pushed  []string // folders to which popd returns
}

// script records what a shell script writes. A script that cannot be parsed has no
// targets: either no shell would run it, or it is for another shell.
func (w *walker) script(text string) {
	if len(text) > maxScript || w.nested >= maxNested {
		return
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		return
	}
	w.nested++
	w.statements(file.Stmts)
	w.nested--
}

func (w *walker) statements(all []*syntax.Stmt) {
	for _, s := range all {
		w.statement(s)
	}
}

func (w *walker) statement(s *syntax.Stmt) {
	if w.steps++; s == nil || w.steps > maxSteps {
		return
	}
	outer := w.input // which applies to all commands in a statement
	for _, r := range s.Redirs {
		w.redirect(r)
	}
	w.command(s.Cmd)
	w.input = outer
}

// apart follows commands that run in a subshell: changes to the folder and the
// variables end with it.
func (w *walker) apart(follow func()) {
	dir, vars, before, pushed := w.dir, w.vars, w.before, w.pushed
	w.vars, w.pushed = maps.Clone(vars), slices.Clone(pushed)
	follow()
	w.dir, w.vars, w.before, w.pushed = dir, vars, before, pushed
}

func (w *walker) redirect(r *syntax.Redirect) {
	w.substitutions(r.Word)
	if w.reads(r) {
		return
	}
	switch r.Op {
	case syntax.RdrOut, syntax.AppOut, syntax.RdrInOut, syntax.RdrClob, syntax.AppClob,
		syntax.RdrAll, syntax.RdrAllClob, syntax.AppAll, syntax.AppAllClob:
	case syntax.DplOut:
		if text, ok := w.one(r.Word); !ok || text == "-" || strings.Trim(text, "0123456789-") == "" {
			return // another descriptor
		}
	default:
		return
	}
	if path, ok := w.one(r.Word); ok {
		w.write(path)
	}
}

func (w *walker) command(c syntax.Command) {
	switch c := c.(type) {
	case *syntax.CallExpr:
		w.call(c)
	case *syntax.Block:
		w.statements(c.Stmts)
	case *syntax.Subshell:
		w.apart(func() { w.statements(c.Stmts) })
	case *syntax.BinaryCmd:
		w.binary(c)
	case *syntax.IfClause:
		for ; c != nil; c = c.Else {
			w.statements(c.Cond)
			w.statements(c.Then)
		}
	case *syntax.WhileClause:
		w.statements(c.Cond)
		w.statements(c.Do)
	case *syntax.ForClause:
		w.loop(c)
	case *syntax.CaseClause:
		w.substitutions(c.Word)
		for _, item := range c.Items {
			w.statements(item.Stmts)
		}
	case *syntax.FuncDecl:
		w.apart(func() { w.statement(c.Body) })
	case *syntax.TimeClause:
		w.statement(c.Stmt)
	case *syntax.CoprocClause:
		w.apart(func() { w.statement(c.Stmt) })
	case *syntax.DeclClause:
		w.assigned(c.Args)
	}
}

// binary follows both sides. The sides of a pipe run in subshells.
func (w *walker) binary(c *syntax.BinaryCmd) {
	if c.Op == syntax.Pipe || c.Op == syntax.PipeAll {
		w.apart(func() { w.statement(c.X) })
		outer := w.input
		w.input = w.output(c.X)
		w.apart(func() { w.statement(c.Y) })
		w.input = outer
		return
	}
	w.statement(c.X)
	w.statement(c.Y)
}

// loop follows the body of a loop once for each known word.
func (w *walker) loop(c *syntax.ForClause) {
	each, ok := c.Loop.(*syntax.WordIter)
	if !ok {
		w.statements(c.Do)
		return
	}
	for _, x := range each.Items {
		w.substitutions(x)
	}
	items := w.fields(each.Items)
	for i, item := range items {
		if i >= maxTurns {
			break
		}
		delete(w.vars, each.Name.Value)
		if item.known {
			w.vars[each.Name.Value] = &item.text
		}
		w.statements(c.Do)
	}
	if len(items) == 0 {
		delete(w.vars, each.Name.Value)
		w.statements(c.Do)
	}
}

func (w *walker) assigned(assigns []*syntax.Assign) {
	for _, a := range assigns {
		w.substitutions(a.Value)
	}
	w.assign(assigns)
}

// call follows a simple command.
func (w *walker) call(c *syntax.CallExpr) {
	for _, x := range c.Args {
		w.substitutions(x)
	}
	if len(c.Args) == 0 {
		w.assigned(c.Assigns)
		return
	}
	for _, a := range c.Assigns {
		w.substitutions(a.Value)
	}
	w.run(w.fields(c.Args))
}

// substitutions follows the commands in a word.
func (w *walker) substitutions(x *syntax.Word) {
	if x == nil {
		return
	}
	syntax.Walk(x, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			w.apart(func() { w.statements(n.Stmts) })
			return false
		case *syntax.ProcSubst:
			w.apart(func() { w.statements(n.Stmts) })
			return false
		}
		return true
	})
}
