package table

import (
	"errors"
	"fmt"
	"strings"

	"example.org/bridge/internal/guard/verdict"

	"mvdan.cc/sh/v3/syntax"
)

// Word is one argument after quotes are removed. For an argument with an
// unquoted glob, Pattern is the glob with every quoted special escaped.
type Word struct {
	Text    string
	Pattern string
}

// IsGlob reports whether the word names files by a pattern.
func (w Word) IsGlob() bool { return w.Pattern != "" }

// Command is one simple command of the small grammar, before any table saw it.
type Command struct {
	Words     []Word
	Redirects []verdict.Redirect
}

// List is a parsed command: pipelines that && || and ; join.
type List struct {
	Steps []Pipeline
	count int
}

// Pipeline is one step of a list.
type Pipeline struct {
	When   verdict.When
	Stages []Command
}

// Parse reads a command in the grammar of safe and restricted mode. What
// it accepts, bash splits into the same words; a fuzz test holds that.
func Parse(command string) (*List, error) {
	command = strings.Trim(command, " \t\n")
	file, err := verdict.Parse(command)
	if err != nil {
		return nil, fmt.Errorf("this is not valid shell: %s", verdict.ParseFault(err))
	}
	if len(file.Last) > 0 {
		return nil, errComment
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
		return nil, errors.New("the command is empty")
	}
	return list, nil
}

var errComment = errors.New("comments are not allowed: leave out everything from #")

// checkNewlines refuses a newline outside quotes: it separates commands, or
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
				return errors.New(`a backslash before a newline is not allowed: write the text on one line`)
			}
		}
	}
	for i := range len(command) {
		if command[i] == '\n' && !quoted[i] {
			return errors.New("only one line is allowed: join commands with && or ;")
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
			return fmt.Errorf("more than %d commands: split the work", verdict.MaxCommands)
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
		return errors.New("this list of && and || is not flat: simplify it")
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
			return nil, fmt.Errorf("the operator %s is not allowed here: use | && || or ;", cmd.Op)
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
		return nil, errors.New("a redirection without a command is not allowed")
	default:
		return nil, fmt.Errorf("%s not allowed here: use simple commands joined by | && || ;", nodeName(cmd))
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
	case len(stmt.Comments) > 0:
		return errComment
	case stmt.Negated:
		return errors.New("negation with ! is not allowed")
	case stmt.Background || stmt.Coprocess || stmt.Disown:
		return errors.New("background commands with & are not allowed: nothing may outlive the call")
	case compound && len(stmt.Redirs) > 0:
		return errors.New("a redirection may only follow a simple command")
	}
	return nil
}

func simple(stmt *syntax.Stmt, call *syntax.CallExpr) (Command, error) {
	if err := checkStmt(stmt, false); err != nil {
		return Command{}, err
	}
	if len(call.Assigns) > 0 {
		return Command{}, errors.New("assignments before a command are not allowed: the environment is fixed")
	}
	var out Command
	for i, arg := range call.Args {
		w, err := literalWord(arg)
		if err != nil {
			return Command{}, err
		}
		if i == 0 && !plainName(arg, w) {
			return Command{}, errors.New("the command's name must be a plain word: no quotes, escapes, globs or paths")
		}
		out.Words = append(out.Words, w)
	}
	if len(out.Words) == 0 {
		return Command{}, errors.New("a redirection without a command is not allowed")
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

// plainName accepts a bare name, written without any quoting.
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

var errRedirect = errors.New("this redirection is not allowed: only 2>&1, >&2 and >/dev/null are; nothing may be read or written by redirection")
