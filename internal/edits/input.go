package edits

import (
	"io"
	"os"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxInput limits how much of a patch or script file is read, in bytes.
const maxInput = 4 << 20

// input is what a command reads from its standard input, if known: a text in the
// script, or a file.
type input struct{ text, file string }

// content returns the text that is read.
func (in input) content() string {
	if in.file == "" {
		return in.text
	}
	return readFile(in.file)
}

// readFile returns the beginning of a file, or "" if it cannot be read without
// waiting.
func readFile(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }() // the file was only read
	text, err := io.ReadAll(io.LimitReader(file, maxInput))
	if err != nil {
		return ""
	}
	return string(text)
}

// reads records the input of the current command, and reports whether a redirection
// determines it.
func (w *walker) reads(r *syntax.Redirect) bool {
	if text, ok := w.heredoc(r); ok {
		w.input = input{text: text}
		return true
	}
	if r.Op != syntax.RdrIn {
		return false
	}
	path, _ := w.one(r.Word)
	w.input = input{file: w.absolute(path)}
	return true
}

// output returns what a statement writes to a pipe, if it only passes on known text:
// cat, echo and printf.
func (w *walker) output(s *syntax.Stmt) input {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok {
		return input{}
	}
	outer := w.input
	defer func() { w.input = outer }()
	for _, r := range s.Redirs {
		w.reads(r)
	}
	var texts []string
	for _, one := range w.fields(call.Args) {
		if !one.known {
			return input{}
		}
		texts = append(texts, one.text)
	}
	switch {
	case len(texts) == 0:
	case texts[0] == "cat" && (len(texts) == 1 || texts[1] == "-"):
		return w.input
	case texts[0] == "cat" && len(texts) == 2:
		return input{file: w.absolute(texts[1])}
	case texts[0] == "echo" || texts[0] == "printf":
		return input{text: strings.ReplaceAll(strings.Join(texts[1:], "\n"), `\n`, "\n") + "\n"}
	}
	return input{}
}
