package shell

import (
	"slices"

	"mvdan.cc/sh/v3/syntax"
)

// function checks a function's body where it is defined. The body is checked
// again at every call.
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
	runsOnce := s.runsOnce
	s.runsOnce = false
	err := w.stmt(f.Body, s, in)
	s.runsOnce = runsOnce
	return err
}

// control walks if, while, for and case. Every branch is walked.
func (w *walker) control(cmd syntax.Command, s *state, in input) error {
	runsOnce := s.runsOnce
	s.runsOnce = false
	defer func() { s.runsOnce = runsOnce }()
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
	return ok && len(call.Args) > 0 && slices.Contains([]string{"true", ":", "false", "[", "test"}, call.Args[0].Lit())
}

func (w *walker) loopBody(body []*syntax.Stmt, s *state, in input, forever bool) error {
	outer := s.forever
	s.forever = outer || forever
	defer func() { s.forever = outer }()
	// Walk the body twice: a cd in it changes the folder for the next iteration.
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
		if callsAny(stmt, folderChangers()) {
			return true
		}
	}
	return false
}

// forLoop walks the body once for each literal item, so that targets in the list
// are checked. If the items are not literal, the variable is unknown.
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
	items, err := w.loopItems(iter, s)
	if err != nil {
		return err
	}
	name := iter.Name.Value
	if err := checkFilled(name); err != nil {
		return err
	}
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

// loopItems returns the values that a for loop iterates over.
func (w *walker) loopItems(iter *syntax.WordIter, s *state) ([]value, error) {
	var items []value
	for _, item := range iter.Items {
		if substitutesNames(item) && w.listsHome(item, s) {
			return nil, errHomeTree
		}
		values, err := w.word(item, s)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if err := w.checkSecret(v, s); err != nil {
				return nil, err
			}
		}
		items = append(items, values...)
	}
	return items, nil
}
