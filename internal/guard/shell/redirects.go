package shell

import (
	"example.org/bridge/internal/guard/verdict"

	"mvdan.cc/sh/v3/syntax"
)

// redirects checks a statement's redirections, and returns what its standard
// input then is.
func (w *walker) redirects(stmt *syntax.Stmt, s *state, in input) (input, error) {
	for _, r := range stmt.Redirs {
		next, err := w.oneRedirect(r, stmt, s, in)
		if err != nil {
			return in, err
		}
		in = next
	}
	return in, nil
}

// readFrom returns the input that results from redirecting from v.
func (w *walker) readFrom(v value, r *syntax.Redirect, s *state, in input) (input, error) {
	if w.isSecretFile(v, s) {
		return in, verdict.ErrSecretFile
	}
	if w.pipes[baseName(v.text)] {
		return input{kind: inputPipe}, nil
	}
	if v.process || v.computed {
		return input{kind: inputPipe, fetched: in.fetched || callsAny(r, downloaders())}, nil
	}
	return input{kind: inputFile, text: v.text, fetched: w.downloads[baseName(v.text)]}, nil
}

func (w *walker) oneRedirect(r *syntax.Redirect, stmt *syntax.Stmt, s *state, in input) (input, error) {
	switch r.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		return w.heredoc(r.Hdoc, s)
	case syntax.WordHdoc:
		return w.heredoc(r.Word, s)
	}
	values, err := w.word(r.Word, s)
	if err != nil {
		return in, err
	}
	if len(values) != 1 {
		return in, verdict.Refuse(verdict.ShellRedirection, "a redirection must name one file")
	}
	v := values[0]
	if err := w.checkSecret(v, s); err != nil {
		return in, err
	}
	switch r.Op {
	case syntax.RdrIn:
		return w.readFrom(v, r, s, in)
	case syntax.DplIn, syntax.DplOut:
		if r.Op == syntax.DplIn && verdict.IsDigits(v.text) && v.text != "0" {
			return input{kind: inputPipe}, nil
		}
		if v.text == "-" || verdict.IsDigits(v.text) || verdict.IsDigits(trimDash(v.text)) {
			return in, nil
		}
		fallthrough
	default:
		if callsAny(stmt, downloaders()) || in.fetched || w.mentionsDownload(stmt) {
			w.downloads[baseName(v.text)] = true
		}
		return in, w.checkWrite(v, s)
	}
}

// mentionsDownload reports whether an argument names a file that was downloaded.
func (w *walker) mentionsDownload(stmt *syntax.Stmt) bool {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || len(w.downloads) == 0 {
		return false
	}
	for _, arg := range call.Args {
		if w.downloads[baseName(arg.Lit())] {
			return true
		}
	}
	return false
}

func trimDash(s string) string {
	if n := len(s); n > 1 && s[n-1] == '-' {
		return s[:n-1]
	}
	return s
}

// heredoc returns the text of a here-document, after walking the commands that
// are substituted into it.
func (w *walker) heredoc(word *syntax.Word, s *state) (input, error) {
	if word == nil {
		return input{kind: inputText}, nil
	}
	if err := w.substitutions(word, s); err != nil {
		return input{}, err
	}
	b := &valueBuilder{w: w, s: s}
	for _, part := range word.Parts {
		b.part(part, true, false)
	}
	in := input{kind: inputText, text: b.b.String()}
	if b.computed {
		in.kind = inputPipe
	}
	return in, nil
}
