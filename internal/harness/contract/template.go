package contract

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.org/bridge/internal/lazyregexp"
)

// template is a URI template (RFC 6570) whose values are strings.
type template struct {
	parts    []templatePart
	verbatim bool // values are not escaped
}

// templatePart is a literal, or an expression if it has variables.
type templatePart struct {
	literal  string
	operator operator
	names    []string
	prefixes []int // of each variable; 0 for the whole value
}

// operator determines how an expression is expanded (RFC 6570, appendix A).
type operator struct {
	first, separator string
	named            bool
	empty            string // follows the name of a variable with an empty value
	reserved         bool   // reserved characters are not escaped
}

var operators = map[string]operator{
	"":  {separator: ","},
	"+": {separator: ",", reserved: true},
	"#": {first: "#", separator: ",", reserved: true},
	".": {first: ".", separator: "."},
	"/": {first: "/", separator: "/"},
	";": {first: ";", separator: ";", named: true},
	"?": {first: "?", separator: "&", named: true, empty: "="},
	"&": {first: "&", separator: "&", named: true, empty: "="},
}

var errTemplate = errors.New("is not a URI template")

// expression matches the text between braces, and variable one of its variables: a name
// with a prefix or an asterisk, which has no effect on strings.
var (
	expression = lazyregexp.New(`^([+#./;?&]?)([^+#/;?&{}]+)$`)
	variable   = lazyregexp.New(`^((?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*)(?::([1-9][0-9]{0,3})|\*)?$`)
)

// parseTemplate parses a template. Characters that are invalid in an address are accepted
// outside expressions, since clients handle them.
func parseTemplate(text string) (t template, err error) {
	for text != "" {
		literal, rest, found := strings.Cut(text, "{")
		if strings.Contains(literal, "}") {
			return t, errTemplate
		}
		t.parts = append(t.parts, templatePart{literal: literal})
		if !found {
			break
		}
		inside, after, closed := strings.Cut(rest, "}")
		part, ok := parseExpression(inside)
		if !closed || !ok {
			return t, errTemplate
		}
		t.parts, text = append(t.parts, part), after
	}
	return t, nil
}

func parseExpression(text string) (part templatePart, ok bool) {
	split := expression().FindStringSubmatch(text)
	if split == nil {
		return part, false
	}
	part.operator = operators[split[1]]
	for one := range strings.SplitSeq(split[2], ",") {
		v := variable().FindStringSubmatch(one)
		if v == nil {
			return part, false
		}
		prefix, _ := strconv.Atoi(v[2])
		part.names, part.prefixes = append(part.names, v[1]), append(part.prefixes, prefix)
	}
	return part, true
}

// variables returns the distinct names of a template's variables.
func (t template) variables() (names []string) {
	for _, part := range t.parts {
		for _, name := range part.names {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// expand replaces the variables of a template. A missing value is treated as empty.
func (t template) expand(values map[string]any) string {
	var uri strings.Builder
	for _, part := range t.parts {
		uri.WriteString(part.literal)
		before := part.operator.first
		for i, name := range part.names {
			value, _ := values[name].(string)
			if runes := []rune(value); part.prefixes[i] > 0 && len(runes) > part.prefixes[i] {
				value = string(runes[:part.prefixes[i]])
			}
			uri.WriteString(before)
			uri.WriteString(t.write(part.operator, name, value))
			before = part.operator.separator
		}
	}
	return uri.String()
}

func (t template) write(o operator, name, value string) string {
	if !t.verbatim {
		value = escape(value, o.reserved)
	}
	switch {
	case !o.named:
		return value
	case value == "":
		return name + o.empty
	}
	return name + "=" + value
}

// escape percent-encodes characters that are not allowed in an address (RFC 6570, section
// 3.2.1).
func escape(text string, reserved bool) string {
	const unreserved, special = "-._~", ":/?#[]@!$&'()*+,;="
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		isTriplet := c == '%' && len(text) > i+2 && isHex(text[i+1]) && isHex(text[i+2])
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(unreserved, c) >= 0:
			b.WriteByte(c)
		case reserved && (isTriplet || strings.IndexByte(special, c) >= 0):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
