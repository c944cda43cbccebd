package confedit

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// SetTOMLKey sets a key in the table at a path to a value in TOML syntax; "" removes
// the key. The table must have its own [header]. Only the key's own lines change.
func SetTOMLKey(text []byte, path []string, key, value string) ([]byte, error) {
	if _, err := ReadTOML(text); err != nil {
		return nil, err
	}
	sections, err := sectionsOf(text)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(sections, func(s Section) bool { return !s.List && slices.Equal(s.Path, path) })
	if i < 0 {
		err, ok := InlineTOML(text, path)
		if !ok {
			err = &ShapeError{strings.Join(path, "."), "does not exist as a table"}
		}
		return nil, err
	}
	out := sections[i].setKey(text, key, value)
	want := map[string]any{}
	if value != "" {
		if want, err = ReadTOML([]byte(key + " = " + value)); err != nil {
			return nil, err
		}
	}
	if got, err := ReadTOML(out); err != nil || !reflect.DeepEqual(walk(got, append(slices.Clone(path), key)), want[key]) {
		return nil, &ShapeError{strings.Join(append(slices.Clone(path), key), "."), "cannot be changed automatically: change it by hand"}
	}
	return out, nil
}

func (s Section) setKey(text []byte, key, value string) []byte {
	newline := newlineOf(text)
	line := ""
	if value != "" {
		line = key + " = " + value + newline
	}
	first := s.start + len(text[s.start:s.end]) - len(afterHeader(text[s.start:s.end]))
	if first == s.end && text[s.end-1] != '\n' {
		line = newline + strings.TrimSuffix(line, newline) // the header ends the document
	}
	start, end := keyLines(text[first:s.end], key)
	return splice(text, first+start, first+end, line)
}

// keyLines returns the range of the lines of a key and its value in the body of a
// table. The range is empty, at the beginning, if there is no such key.
func keyLines(body []byte, key string) (start, end int) {
	p := unstable.Parser{}
	p.Reset(body)
	found := false
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind != unstable.KeyValue {
			continue
		}
		k := e.Key()
		k.Next()
		at := beginningOfLine(body, int(k.Node().Raw.Offset))
		if found {
			return start, start + endOfValues(body[start:at])
		}
		if string(k.Node().Data) == key {
			start, found = at, true
		}
	}
	if !found {
		return 0, 0
	}
	return start, start + endOfValues(body[start:])
}

// InlineTOML looks for a table that does not have its own header. The error names the
// key that contains the table, and its line; found is false if there is no such table.
func InlineTOML(text []byte, path []string) (problem error, found bool) {
	mark, body := splitBOM(text)
	p := unstable.Parser{}
	p.Reset(body)
	var table []string
	for p.NextExpression() {
		e := p.Expression()
		var names []string
		line := 0
		for k := e.Key(); k.Next(); {
			if names == nil {
				line = lineAt(text, len(mark)+int(k.Node().Raw.Offset))
			}
			names = append(names, string(k.Node().Data))
		}
		if e.Kind != unstable.KeyValue {
			table = names
			continue
		}
		whole := slices.Concat(table, names)
		if n := min(len(whole), len(path)); slices.Equal(whole[:n], path[:n]) {
			return &ShapeError{fmt.Sprintf("line %d: %s", line, strings.Join(whole, ".")), fmt.Sprintf("is written inline: write it as a table under [%s]", strings.Join(path, "."))}, true
		}
	}
	return nil, false
}

// walk returns the value at a path of names in a decoded document; nil if there is
// none.
func walk(value any, path []string) any {
	for _, name := range path {
		table, _ := value.(map[string]any)
		value = table[name]
	}
	return value
}
