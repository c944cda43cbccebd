// Package confedit edits other programs' configuration files without disturbing what is
// not ours: comments, order, indentation, line ends, a byte order mark. It works on the
// text: an operation returns the document with a few bytes spliced in or out. The rest
// stays as it is, byte for byte.
//
//	json.go         JSON with comments: Lookup, Set, Append
//	json_remove.go  JSON with comments: Delete
//	json_render.go  how new values are written: in the style of the document
//	json_dialect.go what a client can read: ValidJSON
//	toml.go         TOML: ReadTOML, AppendTOML, CutTOML
//	merge.go        Undo: revert a change in a file that was edited later
//
// For a document that cannot be parsed the functions return a *SyntaxError, and the
// caller leaves the file unchanged.
package confedit

import (
	"bytes"
	"fmt"
)

// MaxSize is the size of the largest document that is read, in bytes. Claude Code's
// state file, the largest of the edited files, can have a few megabytes.
const MaxSize = 32 << 20

// maxDepth is the maximum nesting depth of a document, so that a hostile document
// cannot exhaust the stack.
const maxDepth = 500

// SyntaxError reports a document that cannot be used. Its text never contains a value
// from the document, which may be a secret.
type SyntaxError struct {
	// Line is the line number, starting at 1; 0 if it is not known.
	Line    int
	Problem string
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return e.Problem
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Problem)
}

// ShapeError reports a document that can be read, but has a value of another kind where
// our entry belongs.
type ShapeError struct {
	// Path is the path in the document, joined with dots.
	Path, Problem string
}

func (e *ShapeError) Error() string { return e.Path + " " + e.Problem }

var bom = []byte("\ufeff")

// splitBOM separates a byte order mark from the text after it.
func splitBOM(text []byte) (mark, rest []byte) {
	if bytes.HasPrefix(text, bom) {
		return text[:len(bom)], text[len(bom):]
	}
	return nil, text
}

// newlineOf returns the line ending that a document uses.
func newlineOf(text []byte) string {
	if i := bytes.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// lineAt returns the number of the line that contains offset, starting at 1.
func lineAt(text []byte, offset int) int {
	return 1 + bytes.Count(text[:min(max(offset, 0), len(text))], []byte("\n"))
}

// splice returns a new slice in which text[start:end] is replaced by with.
func splice(text []byte, start, end int, with string) []byte {
	out := make([]byte, 0, len(text)-(end-start)+len(with))
	out = append(out, text[:start]...)
	out = append(out, with...)
	return append(out, text[end:]...)
}
