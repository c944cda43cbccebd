package verdict

import (
	"errors"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Parse reads bash. There is one parser and one tree: what was judged is what
// runs. The text must have passed [CheckText].
func Parse(code string) (*syntax.File, error) {
	return syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true)).Parse(strings.NewReader(code), "")
}

// ParseFault says what is wrong with a text that [Parse] refused.
func ParseFault(err error) string {
	var pe syntax.ParseError
	if errors.As(err, &pe) {
		return pe.Text
	}
	return "check quotes and operators"
}
