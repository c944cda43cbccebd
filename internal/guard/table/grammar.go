package table

import (
	"strings"

	"example.org/bridge/internal/guard/verdict"

	"mvdan.cc/sh/v3/syntax"
)

// Word is one argument after quotes are removed. For an argument with an unquoted
// glob, Pattern is the glob with every quoted special character escaped.
type Word struct {
	Text    string
	Pattern string
}

// IsGlob reports whether the word names files by a pattern.
func (w Word) IsGlob() bool { return w.Pattern != "" }

// Command is one simple command of the small grammar, not yet checked by any
// table.
type Command struct {
	Words []Word
	// Assigns are the NAME=value words before the command.
	Assigns   []Assignment
	Redirects []verdict.Redirect
}

// Assignment is one NAME=value word.
type Assignment struct{ Name, Value string }

// List is a parsed command: pipelines that are joined by && || and ;.
type List struct {
	Steps []Pipeline
	count int
}

// Pipeline is one step of a list.
type Pipeline struct {
	When   verdict.When
	Stages []Command
}

// Parse parses a command in the grammar of safe and restricted mode. bash splits
// every command that Parse accepts into the same words; a fuzz test checks this.
func Parse(command string) (*List, error) {
	command = strings.Trim(command, " \t\n")
	file, err := verdict.Parse(command)
	if err != nil {
		return nil, verdict.Refuse(verdict.SyntaxError, "this is not valid shell (%s)", verdict.ParseFault(err))
	}
	if err := checkNewlines(command, file); err != nil {
		return nil, err
	}
	list := &List{}
	for _, stmt := range file.Stmts {
		if err := list.addStmt(stmt, verdict.Always); err != nil {
			return nil, err
		}
	}
	if len(list.Steps) == 0 {
		return nil, verdict.Refuse(verdict.EmptyCommand, "the command is empty")
	}
	return list, nil
}

// checkNewlines refuses a newline outside quotes, where it separates commands, or
// joins lines after a backslash. Inside quotes it is text.
func checkNewlines(command string, file *syntax.File) error {
	if !strings.Contains(command, "\n") {
		return nil
	}
	quoted := make([]bool, len(command)+1)
	for node := range syntax.Preorder(file) {
		switch n := node.(type) {
		case *syntax.SglQuoted:
			mark(quoted, n.Pos().Offset(), n.End().Offset())
		case *syntax.DblQuoted:
			mark(quoted, n.Pos().Offset(), n.End().Offset())
			if strings.Contains(command[n.Pos().Offset():n.End().Offset()], "\\\n") {
				return verdict.Refuse(verdict.ShellExpansion, `a backslash before a newline is not allowed: write the text on one line`)
			}
		}
	}
	for i := range len(command) {
		if command[i] == '\n' && !quoted[i] {
			return verdict.Refuse(verdict.ShellSyntax, "only one line is allowed: join commands with && or ;")
		}
	}
	return nil
}

func mark(quoted []bool, from, to uint) {
	for i := from; i < to && i < uint(len(quoted)); i++ {
		quoted[i] = true
	}
}

func (l *List) addStmt(stmt *syntax.Stmt, when verdict.When) error {
	binary, ok := stmt.Cmd.(*syntax.BinaryCmd)
	if !ok || (binary.Op != syntax.AndStmt && binary.Op != syntax.OrStmt) {
		stages, err := pipeline(stmt, nil)
		if err != nil {
			return err
		}
		if l.count += len(stages); l.count > verdict.MaxCommands {
			return verdict.Refuse(verdict.TooLarge, "more than %d commands: split the work", verdict.MaxCommands)
		}
		l.Steps = append(l.Steps, Pipeline{When: when, Stages: stages})
		return nil
	}
	if err := checkStmt(stmt, true); err != nil {
		return err
	}
	if err := l.addStmt(binary.X, when); err != nil {
		return err
	}
	next := verdict.OnSuccess
	if binary.Op == syntax.OrStmt {
		next = verdict.OnFailure
	}
	if inner, ok := binary.Y.Cmd.(*syntax.BinaryCmd); ok && inner.Op != syntax.Pipe {
		return verdict.Refuse(verdict.ShellSyntax, "this list of && and || is not flat: simplify it")
	}
	return l.addStmt(binary.Y, next)
}

// pipeline flattens a | b | c, however the parser grouped it.
func pipeline(stmt *syntax.Stmt, into []Command) ([]Command, error) {
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		one, err := simple(stmt, cmd)
		if err != nil {
			return nil, err
		}
		return append(into, one), nil
	case *syntax.BinaryCmd:
		if cmd.Op != syntax.Pipe {
			return nil, verdict.Refuse(verdict.ShellSyntax, "the operator %s is not allowed here: use | && || or ;", cmd.Op)
		}
		if err := checkStmt(stmt, true); err != nil {
			return nil, err
		}
		into, err := pipeline(cmd.X, into)
		if err != nil {
			return nil, err
		}
		return pipeline(cmd.Y, into)
	case nil:
		return nil, verdict.Refuse(verdict.ShellRedirection, "a redirection without a command is not allowed: leave it out")
	default:
		return nil, verdict.Refuse(verdict.ShellSyntax, "%s not allowed here: use simple commands joined by | && || ;", nodeName(cmd))
	}
}

func nodeName(node syntax.Node) string {
	switch node.(type) {
	case *syntax.Subshell:
		return "subshells ( ) are"
	case *syntax.Block:
		return "groups { } are"
	case *syntax.FuncDecl:
		return "functions are"
	case *syntax.TimeClause:
		return "time is"
	case *syntax.CoprocClause:
		return "coproc is"
	case *syntax.TestClause:
		return "[[ ]] is"
	case *syntax.DeclClause, *syntax.LetClause:
		return "declarations are"
	}
	return "control flow is"
}

func checkStmt(stmt *syntax.Stmt, compound bool) error {
	switch {
	case stmt.Negated:
		return verdict.Refuse(verdict.ShellSyntax, "negation with ! is not allowed: leave the ! out")
	case stmt.Background || stmt.Coprocess || stmt.Disown:
		return verdict.Refuse(verdict.ShellSyntax, "background commands with & are not allowed, because nothing may outlive the call: leave the & out")
	case compound && len(stmt.Redirs) > 0:
		return verdict.Refuse(verdict.ShellRedirection, "a redirection may only follow a simple command")
	}
	return nil
}

func simple(stmt *syntax.Stmt, call *syntax.CallExpr) (Command, error) {
	if err := checkStmt(stmt, false); err != nil {
		return Command{}, err
	}
	var out Command
	for _, a := range call.Assigns {
		assign, err := assignment(a)
		if err != nil {
			return Command{}, err
		}
		out.Assigns = append(out.Assigns, assign)
	}
	for i, arg := range call.Args {
		w, err := literalWord(arg)
		if err != nil {
			return Command{}, err
		}
		if arg.Lit() == "[" && i == 0 {
			w.Pattern = "" // a name without a glob
		} else if i == 0 && !plainName(arg, w) {
			return Command{}, verdict.Refuse(verdict.CommandName, "the command's name must be a plain word: write it without quotes, escapes, globs or a path")
		}
		out.Words = append(out.Words, w)
	}
	if len(out.Words) == 0 {
		return Command{}, verdict.Refuse(verdict.ShellRedirection, "a redirection without a command is not allowed: leave it out")
	}
	for _, r := range stmt.Redirs {
		redirects, err := redirect(r)
		if err != nil {
			return Command{}, err
		}
		out.Redirects = append(out.Redirects, redirects...)
	}
	return out, nil
}

// assignment reads NAME=value, whose value is a literal word or empty.
func assignment(a *syntax.Assign) (Assignment, error) {
	refusal := verdict.Refuse(verdict.ShellAssignment, "only plain assignments such as CI=true are allowed before a command: leave this one out")
	if a.Name == nil || a.Append || a.Naked || a.Index != nil || a.Array != nil {
		return Assignment{}, refusal
	}
	out := Assignment{Name: a.Name.Value}
	if a.Value == nil {
		return out, nil
	}
	w, err := literalWord(a.Value)
	if err != nil {
		return Assignment{}, err
	}
	if w.IsGlob() {
		return Assignment{}, refusal
	}
	out.Value = w.Text
	return out, nil
}

// plainName reports whether an argument is a bare name, without any quoting.
func plainName(arg *syntax.Word, w Word) bool {
	lit, ok := arg.Parts[0].(*syntax.Lit)
	if !ok || len(arg.Parts) != 1 || lit.Value != w.Text || w.Text == "" {
		return false
	}
	for _, c := range []byte(w.Text) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_.+", rune(c)) {
			return false
		}
	}
	return w.Text[0] != '-' && w.Text[0] != '.'
}

func redirect(r *syntax.Redirect) ([]verdict.Redirect, error) {
	target := ""
	if r.Word != nil {
		w, err := literalWord(r.Word)
		if err != nil {
			return nil, err
		}
		target = w.Text
		if w.IsGlob() {
			target = ""
		}
	}
	fd := 1
	if r.N != nil {
		switch r.N.Value {
		case "1":
		case "2":
			fd = 2
		default:
			return nil, errRedirect
		}
	}
	switch {
	case (r.Op == syntax.RdrOut || r.Op == syntax.AppOut) && target == "/dev/null":
		return []verdict.Redirect{{FD: fd, Null: true}}, nil
	case (r.Op == syntax.RdrAll || r.Op == syntax.AppAll) && target == "/dev/null" && r.N == nil:
		return []verdict.Redirect{{FD: 1, Null: true}, {FD: 2, To: 1}}, nil
	case r.Op == syntax.DplOut && fd == 2 && target == "1":
		return []verdict.Redirect{{FD: 2, To: 1}}, nil
	case r.Op == syntax.DplOut && fd == 1 && target == "2":
		return []verdict.Redirect{{FD: 1, To: 2}}, nil
	}
	return nil, errRedirect
}

var errRedirect = verdict.Refuse(verdict.ShellRedirection, "redirection from or to files is not allowed: leave it out; only 2>&1, >&2 and >/dev/null are allowed")
