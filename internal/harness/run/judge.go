package run

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/theory/jsonpath"

	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/suite"
)

// answer is the answer of a server, in one form for results and errors.
type answer struct {
	failed bool
	code   *int
	text   string
	value  any
}

// judge compares an answer with the expectations of a step, and stores the values that
// later steps need.
func (a answer) judge(s suite.Step, values map[string]any) (found []finding.Finding) {
	e := s.Expected
	wantsError := s.ExpectError || e.ErrorCode != nil
	switch {
	case a.failed && !wantsError:
		return mismatch("the call failed: %s", brief(a.text))
	case !a.failed && wantsError:
		return mismatch("the call should fail, but succeeded: %s", brief(a.text))
	case e.ErrorCode != nil && a.code == nil:
		return mismatch("the call should fail with the JSON-RPC error %d, but failed with an error result: %s", *e.ErrorCode, brief(a.text))
	case e.ErrorCode != nil && *a.code != *e.ErrorCode:
		return mismatch("the call should fail with the JSON-RPC error %d, but failed with %d: %s", *e.ErrorCode, *a.code, brief(a.text))
	}
	for _, p := range e.Patterns {
		if !regexp.MustCompile(p).MatchString(a.text) { // it was checked when the suite was loaded
			found = append(found, mismatch("the text does not match %q: %s", p, brief(a.text))...)
		}
	}
	for _, p := range e.NotPatterns {
		if regexp.MustCompile(p).MatchString(a.text) {
			found = append(found, mismatch("the text matches %q, but should not: %s", p, brief(a.text))...)
		}
	}
	for _, q := range e.JSON {
		if wrong := a.query(q, values); wrong != "" {
			found = append(found, mismatch("%s %s", q.Path, wrong)...)
		}
	}
	for name, path := range s.Store {
		nodes := jsonpath.MustParse(path).Select(a.value)
		if len(nodes) != 1 {
			found = append(found, mismatch("%s finds %d values instead of one to store as %s", path, len(nodes), name)...)
			continue
		}
		values[name] = nodes[0]
	}
	return found
}

// query checks the result of a JSONPath and returns what is wrong, or "".
func (a answer) query(q suite.Query, values map[string]any) string {
	nodes := jsonpath.MustParse(q.Path).Select(a.value)
	switch {
	case q.Exists != nil && !*q.Exists:
		if len(nodes) > 0 {
			return "should find nothing, but finds " + shown(nodes[0])
		}
		return ""
	case q.Count != nil && len(nodes) != *q.Count:
		return fmt.Sprintf("should find %d values, but finds %d", *q.Count, len(nodes))
	case q.Count != nil && *q.Count == 0:
		return ""
	case len(nodes) == 0 && q.Optional:
		return ""
	case len(nodes) == 0:
		return "finds nothing"
	}
	for _, node := range nodes {
		if wrong := condition(q, node, values); wrong != "" {
			return wrong
		}
	}
	return ""
}

// condition checks one value against the conditions of a query.
func condition(q suite.Query, node any, values map[string]any) string {
	if q.Equals != nil {
		want, err := suite.Fill(q.Equals, values)
		if err != nil {
			return err.Error()
		}
		if !reflect.DeepEqual(plain(want), plain(node)) {
			return "should be " + shown(want) + ", and is " + shown(node)
		}
	}
	if q.Contains != nil {
		want, err := suite.Fill(q.Contains, values)
		if err != nil {
			return err.Error()
		}
		if !contains(plain(node), plain(want)) {
			return "should contain " + shown(want) + ", and is " + shown(node)
		}
	}
	if q.Matches != "" {
		text, ok := node.(string)
		if !ok || !regexp.MustCompile(q.Matches).MatchString(text) {
			return fmt.Sprintf("should match %q, but is %s", q.Matches, shown(node))
		}
	}
	return shape(q, node)
}

// shape checks a value against a type and limits.
func shape(q suite.Query, node any) string {
	if q.Type != "" && !hasType(node, q.Type) {
		return fmt.Sprintf("should be of type %s, but is %s", q.Type, shown(node))
	}
	if q.Min == nil && q.Max == nil {
		return ""
	}
	size, ok := sizeOf(node)
	switch {
	case !ok:
		return "should have a size, but is " + shown(node)
	case q.Min != nil && size < *q.Min:
		return fmt.Sprintf("should be at least %g, but is %g", *q.Min, size)
	case q.Max != nil && size > *q.Max:
		return fmt.Sprintf("should be at most %g, but is %g", *q.Max, size)
	}
	return ""
}

// hasType reports whether a value has a type of JSON Schema.
func hasType(node any, name string) bool {
	switch v := node.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && v == math.Trunc(v)
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}

// sizeOf returns a number, or the length of a string (in characters), array or object.
func sizeOf(node any) (float64, bool) {
	switch v := node.(type) {
	case float64:
		return v, true
	case string:
		return float64(utf8.RuneCountInString(v)), true
	case []any:
		return float64(len(v)), true
	case map[string]any:
		return float64(len(v)), true
	}
	return 0, false
}

// contains reports whether a string contains a string, or a list a value.
func contains(whole, part any) bool {
	switch w := whole.(type) {
	case string:
		p, ok := part.(string)
		return ok && strings.Contains(w, p)
	case []any:
		for _, item := range w {
			if reflect.DeepEqual(item, part) {
				return true
			}
		}
	}
	return false
}

// plain converts numbers from YAML and JSON to one type.
func plain(v any) (out any) {
	data, err := json.Marshal(v)
	if err != nil || json.Unmarshal(data, &out) != nil {
		return v
	}
	return out
}

func shown(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return brief(fmt.Sprint(v))
	}
	return brief(string(data))
}

// brief returns the beginning of a server's text, on one line.
func brief(text string) string {
	const most = 200
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
