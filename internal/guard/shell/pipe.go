package shell

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"

	"mvdan.cc/sh/v3/syntax"
)

// input describes where a command's standard input comes from.
type input struct {
	kind inputKind
	text string // a here-document's literal text
	// fetched: an earlier stage is a download.
	fetched bool
	// dumped: an earlier stage prints the environment.
	dumped bool
	// toArgs: a later stage turns lines into arguments.
	toArgs bool
	// toRemoval: a later stage removes, moves or changes the files that these
	// arguments name.
	toRemoval bool
}

type inputKind int

func (w *walker) binary(cmd *syntax.BinaryCmd, s *state, in input) error {
	if cmd.Op == syntax.Pipe || cmd.Op == syntax.PipeAll {
		return w.pipe(cmd, s, in)
	}
	before := s.dirs
	if err := w.stmt(cmd.X, s, in); err != nil {
		return err
	}
	succeeded, runsOnce := s.dirs, s.runsOnce
	s.runsOnce = false
	if cmd.Op == syntax.OrStmt && before != nil && s.dirs != nil {
		s.dirs = union(before, s.dirs)
	}
	err := w.stmt(cmd.Y, s, in)
	s.runsOnce = runsOnce
	if cmd.Op == syntax.OrStmt && isExit(cmd.Y) && s.funcs["exit"] == nil { // after cd X || exit, the folder is X
		s.dirs, s.visited = succeeded, append([]string(nil), succeeded...)
	}
	return err
}

// isExit reports whether a statement always leaves this shell.
func isExit(stmt *syntax.Stmt) bool {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	return ok && !stmt.Background && len(call.Args) > 0 && call.Args[0].Lit() == "exit"
}

// pipe walks the stages of a pipeline, each in a subshell, and tracks what flows
// between them.
func (w *walker) pipe(cmd *syntax.BinaryCmd, s *state, in input) error {
	stages := flatten(cmd, nil)
	toArgs := make([]bool, len(stages)+1)
	toRemoval := make([]bool, len(stages)+1)
	for i := len(stages) - 1; i >= 0; i-- {
		makes := callsAny(stages[i], argumentMakers())
		toArgs[i] = toArgs[i+1] || makes
		toRemoval[i] = toRemoval[i+1] || (makes && callsAny(stages[i], removers()))
	}
	listed := false
	for i, stage := range stages {
		if listed && (callsAny(stage, readersOfLists()) || isLoop(stage)) {
			return errHomeTree
		}
		listed = listed || w.listsHome(stage, s)
		in.toArgs, in.toRemoval = toArgs[i+1], toRemoval[i+1]
		if in.dumped && callsAny(stage, networkTools()) {
			return verdict.Refuse(verdict.SendsSecrets, "the environment must not be sent over the network")
		}
		if err := w.stmt(stage, s.copy(), in); err != nil {
			return err
		}
		in = input{
			kind:    inputPipe,
			text:    printedText(stage),
			fetched: in.fetched || callsAny(stage, downloaders()),
			dumped:  in.dumped || callsAny(stage, environmentDumps()),
		}
		if in.fetched && i+1 < len(stages) && callsAny(stages[i+1], unpackers()) {
			w.fetched = true
		}
	}
	return nil
}

// printedText returns what a stage prints if it is a plain echo or printf.
func printedText(stmt *syntax.Stmt) string {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) < 2 || (call.Args[0].Lit() != "echo" && call.Args[0].Lit() != "printf") {
		return ""
	}
	var words []string
	for _, arg := range call.Args[1:] {
		for _, part := range arg.Parts {
			switch p := part.(type) {
			case *syntax.Lit:
				words = append(words, p.Value)
			case *syntax.SglQuoted:
				words = append(words, p.Value)
			case *syntax.DblQuoted:
				for _, inner := range p.Parts {
					if lit, ok := inner.(*syntax.Lit); ok {
						words = append(words, lit.Value)
					}
				}
			}
		}
	}
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(strings.Join(words, " "))
}

func isLoop(stmt *syntax.Stmt) bool {
	_, ok := stmt.Cmd.(*syntax.WhileClause)
	return ok
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

// callsAny reports whether a literal command name below the node is one of the
// names. The result is a hint about what flows through a pipeline, not a
// decision.
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
