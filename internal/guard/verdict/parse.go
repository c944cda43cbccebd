package verdict

import (
	"errors"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Parse parses a bash command. Every part of the guard uses this parser, so that
// all rules judge the same tree. The text must have passed [CheckText].
func Parse(code string) (*syntax.File, error) {
	return syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true)).Parse(strings.NewReader(code), "")
}

// ParseFault returns what is wrong with a text that [Parse] refused.
func ParseFault(err error) string {
	var pe syntax.ParseError
	if errors.As(err, &pe) {
		return pe.Text
	}
	return "check quotes and operators"
}
