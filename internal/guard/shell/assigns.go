package shell

import (
	"example.org/bridge/internal/guard/verdict"

	"mvdan.cc/sh/v3/syntax"
)

// countAssigns returns how often each variable may be set in a text. Only a
// variable that is set exactly once, outside of branches and loops, has a value
// that can be determined.
func countAssigns(file *syntax.File) map[string]int {
	counts := map[string]int{}
	for node := range syntax.Preorder(file) {
		switch n := node.(type) {
		case *syntax.Assign:
			if n.Name != nil {
				counts[n.Name.Value]++
			}
		case *syntax.WordIter:
			counts[n.Name.Value]++
		case *syntax.ParamExp:
			if n.Param != nil && n.Exp != nil {
				counts[n.Param.Value] += 2
			}
		case *syntax.CallExpr:
			countCall(n, counts)
		case *syntax.ArithmExp, *syntax.ArithmCmd, *syntax.LetClause, *syntax.CStyleLoop:
			countArithmetic(node, counts)
		}
	}
	return counts
}

// countCall counts the names that are passed to builtins which set variables.
func countCall(call *syntax.CallExpr, counts map[string]int) {
	if len(call.Args) == 0 {
		return
	}
	switch call.Args[0].Lit() {
	case "read", "mapfile", "readarray", "printf", "getopts", "unset", "declare", "typeset", "local", "export", "readonly", "command", "builtin":
		for _, arg := range call.Args[1:] {
			counts[arg.Lit()] += 2
		}
	}
}

// noteFilled records the variables that builtins read from input. If such a value
// is run later, its text does not appear in the command that the operator
// approved.
func (w *walker) noteFilled(file *syntax.File) {
	for node := range syntax.Preorder(file) {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			continue
		}
		if name := call.Args[0].Lit(); !has("read mapfile readarray", name) {
			continue
		}
		if w.filled == nil {
			w.filled = map[string]bool{}
		}
		w.filled["REPLY"], w.filled["MAPFILE"] = true, true
		for _, arg := range call.Args[1:] {
			w.filled[arg.Lit()] = true
		}
	}
}

func countArithmetic(node syntax.Node, counts map[string]int) {
	syntax.Walk(node, func(n syntax.Node) bool {
		if lit, ok := n.(*syntax.Lit); ok {
			counts[lit.Value] += 2
		}
		return true
	})
}

// forkBomb refuses functions that start themselves in a pipeline or in the
// background, directly or through each other.
func forkBomb(file *syntax.File) error {
	calls := map[string]map[string]bool{} // caller -> callee -> whether the call is spawned
	for node := range syntax.Preorder(file) {
		if f, ok := node.(*syntax.FuncDecl); ok {
			if f.Name == nil {
				return verdict.Refuse(verdict.SyntaxError, "a function without a name is not valid in bash")
			}
			callees := map[string]bool{}
			callsOf(f.Body, false, callees)
			calls[f.Name.Value] = callees
		}
	}
	for name := range calls {
		if reaches(calls, name, name, false, map[string]bool{}) {
			return verdict.Refuse(verdict.ForkBomb, "a function that keeps starting itself is a fork bomb")
		}
	}
	return nil
}

func callsOf(node syntax.Node, spawned bool, into map[string]bool) {
	syntax.Walk(node, func(n syntax.Node) bool {
		switch c := n.(type) {
		case *syntax.Stmt:
			if c.Background && !spawned && c.Cmd != nil {
				callsOf(c.Cmd, true, into)
				return false
			}
		case *syntax.BinaryCmd:
			if (c.Op == syntax.Pipe || c.Op == syntax.PipeAll) && !spawned {
				callsOf(c.X, true, into)
				callsOf(c.Y, true, into)
				return false
			}
		case *syntax.CmdSubst:
			if !spawned {
				for _, stmt := range c.Stmts {
					callsOf(stmt, true, into)
				}
				return false
			}
		case *syntax.CallExpr:
			if len(c.Args) > 0 {
				name := c.Args[0].Lit()
				into[name] = into[name] || spawned
			}
		}
		return true
	})
}

func reaches(calls map[string]map[string]bool, from, goal string, spawned bool, seen map[string]bool) bool {
	for callee, spawn := range calls[from] {
		if callee == goal && (spawned || spawn) {
			return true
		}
		key := callee
		if spawned || spawn {
			key += " spawned"
		}
		if _, isFunction := calls[callee]; isFunction && !seen[key] {
			seen[key] = true
			if reaches(calls, callee, goal, spawned || spawn, seen) {
				return true
			}
		}
	}
	return false
}
