package suite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
)

// Encode writes a suite as a file that [Load] reads. Comments stand above what they are
// about: the key is a place such as "test_suites[0].test_cases[1]". Texts that hold ${ are
// written so that they stay what they are.
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

// PlainText escapes what could be taken for a variable of a suite.
func PlainText(text string) string {
	return variable().ReplaceAllStringFunc(text, func(found string) string { return "$" + found })
}

// Plain is [PlainText] for all texts in a value of JSON.
func Plain(v any) any {
	return each(v, func(v any) any {
		if text, ok := v.(string); ok {
			return PlainText(text)
		}
		return v
	})
}

// each replaces all values in a value of JSON that are neither arrays nor objects.
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

// written gives values a form that survives: whole numbers without a point, and texts with
// control characters between double quotes.
func written(v any) any {
	return each(v, func(v any) any {
		switch v := v.(type) {
		case float64: // JSON has one kind of number
			if whole := int64(v); float64(whole) == v {
				return whole
			}
		case string:
			return quoted(v)
		}
		return v
	})
}

// writtenCases are cases whose values are [written].
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

// quoted is a text that stands between double quotes where it holds control characters,
// which other styles lose.
type quoted string

// MarshalYAML writes the text; JSON strings are YAML.
func (q quoted) MarshalYAML() ([]byte, error) {
	if strings.ContainsFunc(string(q), unicode.IsControl) {
		return json.Marshal(string(q))
	}
	return yaml.Marshal(string(q))
}
