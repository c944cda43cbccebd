package suite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
)

// Encode writes a suite as a file that [Load] reads. Comments are placed above the item
// they describe; their keys are places such as "test_suites[0].test_cases[1]". Texts that
// contain ${ are escaped, so that they are not taken for variables.
func Encode(s *Suite, comments map[string]string) ([]byte, error) {
	notes := yaml.CommentMap{}
	for place, text := range comments {
		notes["$."+place] = []*yaml.Comment{yaml.HeadComment(" " + strings.Join(strings.Fields(text), " "))}
	}
	other := *s
	other.Groups = writtenCases(s.Groups)
	data, err := yaml.MarshalWithOptions(&other, yaml.Indent(2), yaml.IndentSequence(true), yaml.WithComment(notes))
	if err != nil {
		return nil, fmt.Errorf("cannot write a suite: %w", err)
	}
	return data, nil
}

// PlainText escapes text that could be taken for a variable of a suite.
func PlainText(text string) string {
	return variable().ReplaceAllStringFunc(text, func(found string) string { return "$" + found })
}

// Plain is [PlainText] for all strings in a JSON value.
func Plain(v any) any {
	return each(v, func(v any) any {
		if text, ok := v.(string); ok {
			return PlainText(text)
		}
		return v
	})
}

// each replaces all values in a JSON value that are neither arrays nor objects.
func each(v any, replace func(any) any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = each(v[i], replace)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[key] = each(v[key], replace)
		}
		return out
	}
	return replace(v)
}

// written returns values in a form that is read back unchanged: integers without a decimal
// point, and strings with control characters in double quotes.
func written(v any) any {
	return each(v, func(v any) any {
		switch v := v.(type) {
		case float64: // JSON has only one type of number
			if whole := int64(v); float64(whole) == v {
				return whole
			}
		case string:
			return quoted(v)
		}
		return v
	})
}

// writtenCases returns cases whose values are [written].
func writtenCases(groups []Group) []Group {
	out := slices.Clone(groups)
	for g := range out {
		out[g].Cases = slices.Clone(out[g].Cases)
		for i := range out[g].Cases {
			c := &out[g].Cases[i]
			c.Input, _ = written(c.Input).(map[string]any)
			c.Params, _ = written(c.Params).(map[string]any)
			c.Expected.JSON = slices.Clone(c.Expected.JSON)
			for q := range c.Expected.JSON {
				c.Expected.JSON[q].Equals = written(c.Expected.JSON[q].Equals)
				c.Expected.JSON[q].Contains = written(c.Expected.JSON[q].Contains)
			}
		}
	}
	return out
}

// quoted is a string that is written in double quotes if it contains control characters,
// which other styles lose.
type quoted string

// MarshalYAML encodes the string; JSON strings are valid YAML.
func (q quoted) MarshalYAML() ([]byte, error) {
	if strings.ContainsFunc(string(q), unicode.IsControl) {
		return json.Marshal(string(q))
	}
	return yaml.Marshal(string(q))
}
