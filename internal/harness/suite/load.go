package suite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const (
	maxFile = 1 << 20 // bytes
	maxNest = 60      // levels of indentation or brackets
)

// Error is a fault of a suite. Line counts from 1, and is 0 if it is not known.
type Error struct {
	Path string
	Line int
	Text string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Text)
}

// Load reads and checks a suite. lookup returns the values of ${VAR}. environment is a key
// of the suite's environments, or "" for the one that the suite names. The error joins an
// [Error] for each fault.
func Load(path, environment string, lookup func(string) (string, bool)) (*Suite, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &Error{Path: path, Text: "cannot be read: " + err.(*os.PathError).Err.Error()} //nolint:errorlint,forcetypeassert // os.Open promises it
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, &Error{Path: path, Text: "cannot be read"}
	}
	return Parse(path, data, environment, lookup)
}

// Parse is [Load] for a suite that has already been read.
func Parse(path string, data []byte, environment string, lookup func(string) (string, bool)) (*Suite, error) {
	if err := plausible(data); err != "" {
		return nil, &Error{Path: path, Text: err}
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, located(path, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, &Error{Path: path, Text: "must be one YAML document with server and test_suites"}
	}
	x := &expander{path: path, lookup: lookup}
	file.Docs[0].Body = x.node(file.Docs[0].Body, "")
	if len(x.problems) > 0 {
		return nil, errors.Join(x.problems...)
	}
	s := &Suite{Path: path}
	if err := yaml.NodeToValue(file.Docs[0].Body, s, yaml.Strict()); err != nil {
		return nil, located(path, err)
	}
	c := &checker{suite: s, file: file}
	c.all(environment)
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	return s, nil
}

// plausible rejects files that would cause the parser excessive work.
func plausible(data []byte) string {
	if len(data) > maxFile {
		return fmt.Sprintf("is larger than %d bytes", maxFile)
	}
	depth := 0
	for _, c := range data {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(depth-1, 0)
		case 0:
			return "contains a zero byte"
		}
		if depth > maxNest {
			return fmt.Sprintf("is nested more than %d deep", maxNest)
		}
	}
	for line := range strings.Lines(string(data)) {
		indent := len(line) - len(strings.TrimLeft(line, " -?"))
		if indent > 4*maxNest {
			return fmt.Sprintf("is nested more than %d deep", maxNest)
		}
	}
	return ""
}

// located converts an error of the YAML library to an [Error], without the excerpt of the
// file that it would show, which may contain a secret.
func located(path string, err error) error {
	var fault yaml.Error
	if !errors.As(err, &fault) {
		return &Error{Path: path, Text: "is not a suite"}
	}
	e := &Error{Path: path, Text: message(fault)}
	if t := fault.GetToken(); t != nil && t.Position != nil {
		e.Line = t.Position.Line
	}
	return e
}

func message(fault yaml.Error) string {
	text := fault.GetMessage()
	if name, ok := strings.CutPrefix(text, "unknown field "); ok {
		return "there is no key " + name + " here: see docs/harness.md for the keys"
	}
	if strings.HasPrefix(text, "cannot unmarshal") {
		return "this value has the wrong type: " + text
	}
	return text
}

func lineOf(node ast.Node) int {
	if node == nil || node.GetToken() == nil || node.GetToken().Position == nil {
		return 0
	}
	return node.GetToken().Position.Line
}
