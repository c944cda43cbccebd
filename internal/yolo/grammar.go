package yolo

import (
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// word is one argument after quotes are removed. For an argument with an
// unquoted glob, pattern is the glob with every quoted special escaped.
type word struct {
	text    string
	pattern string
}

func (w word) isGlob() bool { return w.pattern != "" }

// simpleCommand is a command of the small grammar, before any table saw it.
type simpleCommand struct {
	words     []word
	redirects []Redirect
}

type commandList struct {
	steps []listStep
	count int
}

type listStep struct {
	when   When
	stages []simpleCommand
}

func newParser() *syntax.Parser {
	return syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true))
}

// parseList reads a command in the grammar of safe and restricted mode. What
// it accepts, bash splits into the same words; a fuzz test holds that.
func parseList(command string) (*commandList, error) {
	command = strings.Trim(command, " \t\n")
	file, err := newParser().Parse(strings.NewReader(command), "")
	if err != nil {
		return nil, fmt.Errorf("this is not valid shell: %s", parseFault(err))
	}
	if len(file.Last) > 0 {
		return nil, errComment
	}
	if err := checkNewlines(command, file); err != nil {
		return nil, err
	}
	list := &commandList{}
	for _, stmt := range file.Stmts {
		if err := list.addStmt(stmt, Always); err != nil {
			return nil, err
		}
	}
	if len(list.steps) == 0 {
		return nil, errors.New("the command is empty")
	}
	return list, nil
}

var errComment = errors.New("comments are not allowed: leave out everything from #")

func parseFault(err error) string {
	var pe syntax.ParseError
	if errors.As(err, &pe) {
		return pe.Text
	}
	return "check quotes and operators"
}

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

func (l *commandList) addStmt(stmt *syntax.Stmt, when When) error {
	binary, ok := stmt.Cmd.(*syntax.BinaryCmd)
	if !ok || (binary.Op != syntax.AndStmt && binary.Op != syntax.OrStmt) {
		stages, err := pipeline(stmt, nil)
		if err != nil {
			return err
		}
		if l.count += len(stages); l.count > maxCommands {
			return fmt.Errorf("more than %d commands: split the work", maxCommands)
		}
		l.steps = append(l.steps, listStep{when: when, stages: stages})
		return nil
	}
	if err := checkStmt(stmt, true); err != nil {
		return err
	}
	if err := l.addStmt(binary.X, when); err != nil {
		return err
	}
	next := OnSuccess
	if binary.Op == syntax.OrStmt {
		next = OnFailure
	}
	if inner, ok := binary.Y.Cmd.(*syntax.BinaryCmd); ok && inner.Op != syntax.Pipe {
		return errors.New("this list of && and || is not flat: simplify it")
	}
	return l.addStmt(binary.Y, next)
}

// pipeline flattens a | b | c, however the parser grouped it.
func pipeline(stmt *syntax.Stmt, into []simpleCommand) ([]simpleCommand, error) {
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

func simple(stmt *syntax.Stmt, call *syntax.CallExpr) (simpleCommand, error) {
	if err := checkStmt(stmt, false); err != nil {
		return simpleCommand{}, err
	}
	if len(call.Assigns) > 0 {
		return simpleCommand{}, errors.New("assignments before a command are not allowed: the environment is fixed")
	}
	var out simpleCommand
	for i, arg := range call.Args {
		w, err := literalWord(arg)
		if err != nil {
			return simpleCommand{}, err
		}
		if i == 0 && !plainName(arg, w) {
			return simpleCommand{}, errors.New("the command's name must be a plain word: no quotes, escapes, globs or paths")
		}
		out.words = append(out.words, w)
	}
	if len(out.words) == 0 {
		return simpleCommand{}, errors.New("a redirection without a command is not allowed")
	}
	for _, r := range stmt.Redirs {
		redirects, err := redirect(r)
		if err != nil {
			return simpleCommand{}, err
		}
		out.redirects = append(out.redirects, redirects...)
	}
	return out, nil
}

// plainName accepts a bare name, written without any quoting.
func plainName(arg *syntax.Word, w word) bool {
	lit, ok := arg.Parts[0].(*syntax.Lit)
	if !ok || len(arg.Parts) != 1 || lit.Value != w.text || w.text == "" {
		return false
	}
	for _, c := range []byte(w.text) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_.+", rune(c)) {
			return false
		}
	}
	return w.text[0] != '-' && w.text[0] != '.'
}

func redirect(r *syntax.Redirect) ([]Redirect, error) {
	target := ""
	if r.Word != nil {
		w, err := literalWord(r.Word)
		if err != nil {
			return nil, err
		}
		target = w.text
		if w.isGlob() {
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
		return []Redirect{{FD: fd, Null: true}}, nil
	case (r.Op == syntax.RdrAll || r.Op == syntax.AppAll) && target == "/dev/null" && r.N == nil:
		return []Redirect{{FD: 1, Null: true}, {FD: 2, To: 1}}, nil
	case r.Op == syntax.DplOut && fd == 2 && target == "1":
		return []Redirect{{FD: 2, To: 1}}, nil
	case r.Op == syntax.DplOut && fd == 1 && target == "2":
		return []Redirect{{FD: 1, To: 2}}, nil
	}
	return nil, errRedirect
}

var errRedirect = errors.New("this redirection is not allowed: only 2>&1, >&2 and >/dev/null are; nothing may be read or written by redirection")
