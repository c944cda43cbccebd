package confedit

import (
	"encoding/json"
	"errors"

	"github.com/tailscale/hujson"
)

// Dialect is what a program accepts as JSON.
type Dialect int

// The dialects. All that is not broken is Lenient.
const (
	Lenient Dialect = iota
	// Commented has comments, but no trailing comma and no byte order mark.
	Commented
	// Strict has neither comments nor trailing commas.
	Strict
)

// ValidJSON says what is wrong with a document, if anything, to a program that
// reads a dialect.
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

// firstExtension is the line at which strict JSON ends to be.
func (d *document) firstExtension() int {
	var strict *json.SyntaxError
	var value any
	if err := json.Unmarshal(d.text, &value); errors.As(err, &strict) {
		return lineAt(d.text, int(strict.Offset)-1)
	}
	return 0
}

// trailingComma names the line of the first item with a comma after it and
// nothing else.
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
