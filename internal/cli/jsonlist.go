package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
)

// jsonList prints a JSON document that contains one list, item by item, because a list
// may not fit into memory, and its beginning may be needed before its end.
type jsonList struct {
	out   *bufio.Writer
	name  string
	begun bool // the document
	items bool // the list
	// indented spreads items over several lines.
	indented bool
}

// newJSONList prints {"name": [...]}.
func newJSONList(w io.Writer, name string) *jsonList {
	return &jsonList{out: bufio.NewWriter(w), name: name}
}

// field prints a field before the list.
func (l *jsonList) field(name string, value any) error {
	encoded, err := l.encode(value, "  ")
	if err != nil {
		return err
	}
	l.member(name)
	_, err = l.out.Write(encoded)
	return err
}

// encode returns the JSON of a value, to be written after an indent.
func (l *jsonList) encode(value any, indent string) ([]byte, error) {
	encoded, err := marshal(value)
	if err != nil || !l.indented {
		return encoded, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, encoded, indent, "  ")
	return out.Bytes(), err
}

// member starts a member of the document.
func (l *jsonList) member(name string) {
	lead := ",\n"
	if !l.begun {
		lead, l.begun = "{\n", true
	}
	_, _ = l.out.WriteString(lead + "  \"" + name + "\": ")
}

func (l *jsonList) add(item any) error {
	encoded, err := l.encode(item, "    ")
	if err != nil {
		return err
	}
	lead := ",\n    "
	if !l.items {
		l.member(l.name)
		lead, l.items = "[\n    ", true
	}
	_, _ = l.out.WriteString(lead)
	_, err = l.out.Write(encoded)
	return err
}

func (l *jsonList) flush() error { return l.out.Flush() }

// end closes the document.
func (l *jsonList) end() error {
	tail := "\n  ]\n}\n"
	if !l.items {
		l.member(l.name)
		tail = "[]\n}\n"
	}
	_, _ = l.out.WriteString(tail)
	return l.out.Flush()
}
