package confedit

import (
	"encoding/json"
	"errors"

	"github.com/tailscale/hujson"
)

// Dialect is a variant of JSON that a program accepts.
type Dialect int

// The dialects. Lenient accepts everything that can be parsed.
const (
	Lenient Dialect = iota
	// Commented allows comments, but no trailing commas and no byte order mark.
	Commented
	// Strict allows neither comments nor trailing commas.
	Strict
)

// ValidJSON returns an error if a program that reads the given dialect could not read
// the document.
func ValidJSON(text []byte, dialect Dialect) error {
	d, err := parseJSON(text)
	if err != nil || d.empty {
		return err
	}
	switch {
	case dialect == Strict && !d.root.IsStandard():
		return &SyntaxError{Line: d.firstExtension(), Problem: "has a comment or a trailing comma, which its client does not read"}
	case dialect == Commented && len(d.mark) > 0:
		return &SyntaxError{Line: 1, Problem: "has a byte order mark, which its client does not read"}
	case dialect == Commented:
		return d.trailingComma()
	}
	return nil
}

// firstExtension returns the line of the first deviation from strict JSON.
func (d *document) firstExtension() int {
	var strict *json.SyntaxError
	var value any
	if err := json.Unmarshal(d.text, &value); errors.As(err, &strict) {
		return lineAt(d.text, int(strict.Offset)-1)
	}
	return 0
}

// trailingComma returns an error with the line of the first trailing comma.
func (d *document) trailingComma() error {
	for v := range d.root.All() {
		if _, literal := v.Value.(hujson.Literal); literal {
			continue
		}
		if items, _, comma := itemsOf(v); comma {
			return &SyntaxError{Line: lineAt(d.text, items[len(items)-1].end), Problem: "has a trailing comma, which its client does not read"}
		}
	}
	return nil
}
