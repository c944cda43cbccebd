package confedit

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// ReadTOML decodes a TOML document.
func ReadTOML(text []byte) (map[string]any, error) {
	_, text = splitBOM(text)
	if len(text) > MaxSize {
		return nil, &SyntaxError{Problem: fmt.Sprintf("is larger than %d MiB", MaxSize>>20)}
	}
	if tooDeep(text) {
		return nil, &SyntaxError{Problem: fmt.Sprintf("is nested deeper than %d levels", maxDepth)}
	}
	document := map[string]any{}
	err := toml.Unmarshal(text, &document)
	var syntax *toml.DecodeError
	switch {
	case errors.As(err, &syntax):
		line, _ := syntax.Position()
		return nil, &SyntaxError{Line: line, Problem: "is not TOML"}
	case err != nil:
		return nil, &SyntaxError{Problem: "is not TOML"}
	}
	return document, nil
}

// AppendTOML adds tables, whose lines end with "\n", at the end of a document. It
// returns an error if the result would not parse as the document and the tables
// together, for example because nothing can be added to a table that is written inline.
func AppendTOML(text []byte, tables string) ([]byte, error) {
	want, err := ReadTOML(text)
	if err != nil {
		return nil, err
	}
	added, err := ReadTOML([]byte(tables))
	if err != nil {
		return nil, err
	}
	newline := newlineOf(text)
	lead := ""
	if _, rest := splitBOM(text); len(rest) > 0 {
		lead = newline
		if rest[len(rest)-1] != '\n' {
			lead += newline
		}
	}
	out := slices.Concat(text, []byte(lead+strings.ReplaceAll(tables, "\n", newline)))
	got, err := ReadTOML(out)
	if err != nil || !joinTables(want, added) || !reflect.DeepEqual(got, want) {
		return nil, &ShapeError{"the document", "has a table of ours written inline, which cannot be added to: write it under a [header] of its own"}
	}
	return out, nil
}

// joinTables adds the content of added to table: tables are merged and lists extended.
// It returns false if both have different values for a key.
func joinTables(table, added map[string]any) bool {
	for name, value := range added {
		old, ok := table[name]
		if !ok {
			table[name] = value
			continue
		}
		switch value := value.(type) {
		case map[string]any:
			inner, ok := old.(map[string]any)
			if !ok || !joinTables(inner, value) {
				return false
			}
		case []any:
			list, ok := old.([]any)
			if !ok {
				return false
			}
			table[name] = append(slices.Clip(list), value...)
		default:
			return false
		}
	}
	return true
}

// Section is a [table] or [[table]] of a document.
type Section struct {
	// Path is the table's name, one element per level.
	Path []string
	// List reports whether it is an element of a list: [[table]].
	List bool
	// Values are the keys directly below the header.
	Values map[string]any

	start, end int
}

// CutTOML removes the sections for which ours returns true, from the header to the last
// value, including comment lines directly above the header that are in notes.
func CutTOML(text []byte, notes []string, ours func(Section) bool) ([]byte, error) {
	if _, err := ReadTOML(text); err != nil {
		return nil, err
	}
	sections, err := sectionsOf(text)
	if err != nil {
		return nil, err
	}
	for _, s := range slices.Backward(sections) {
		if ours(s) {
			text = splice(text, aboveNotes(text, s.start, notes), s.end, "")
		}
	}
	return text, nil
}

// aboveNotes moves start, the beginning of a line, up over lines that are in notes and
// over one empty line.
func aboveNotes(text []byte, start int, notes []string) int {
	for start > 0 {
		above := bytes.LastIndexByte(text[:start-1], '\n') + 1
		line := strings.TrimSpace(string(text[above:start]))
		if line == "" {
			return above
		}
		if !slices.Contains(notes, line) {
			break
		}
		start = above
	}
	return start
}
