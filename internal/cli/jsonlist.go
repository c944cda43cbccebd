package cli

import (
	"bufio"
	"io"
)

// jsonList prints one JSON document with one list in it, an item at a time: a list
// may be longer than memory, and its beginning may be wanted before its end.
type jsonList struct {
	out   *bufio.Writer
	name  string
	begun bool
}

// newJSONList prints {"name": [...]}.
func newJSONList(w io.Writer, name string) *jsonList {
	return &jsonList{out: bufio.NewWriter(w), name: name}
}

func (l *jsonList) add(item any) error {
	lead := ",\n    "
	if !l.begun {
		lead = "{\n  \"" + l.name + "\": [\n    "
		l.begun = true
	}
	encoded, err := marshal(item)
	if err != nil {
		return err
	}
	_, _ = l.out.WriteString(lead)
	_, err = l.out.Write(encoded)
	return err
}

func (l *jsonList) flush() error { return l.out.Flush() }

// end closes the document.
func (l *jsonList) end() error {
	tail := "\n  ]\n}\n"
	if !l.begun {
		tail = "{\n  \"" + l.name + "\": []\n}\n"
	}
	_, _ = l.out.WriteString(tail)
	return l.out.Flush()
}
