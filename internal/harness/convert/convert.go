// Package convert converts test files of other tools to suites. It reads three formats:
// specifications of moth (name, server, tools with tests), configurations of the earlier
// test harness (test_suites whose cases have tool_name and input_params), and suites with
// some keys that a suite does not have.
//
// Anything without a counterpart is left out and reported with its place. Nothing is
// guessed.
package convert

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"example.org/bridge/internal/harness/suite"
)

// Result is a suite, and the parts of the file that were left out.
type Result struct {
	Suite *suite.Suite
	Left  []string
}

// maxFile is the maximum size of a file, in bytes.
const maxFile = 1 << 20

// File converts a file.
func File(data []byte) (Result, error) {
	if len(data) > maxFile {
		return Result{}, fmt.Errorf("the file is larger than %d bytes", maxFile)
	}
	var root map[string]any
	if err := yaml.Unmarshal(data, &root); err != nil || root == nil {
		return Result{}, errors.New("this is not YAML with keys at its top")
	}
	c := &converter{suite: &suite.Suite{}}
	top := node{c, "", root}
	switch {
	case root["tools"] != nil:
		c.moth(top)
	case root["test_suites"] != nil:
		c.harness(top)
	default:
		return Result{}, errors.New("there are neither tools nor test_suites: this is a file neither of moth nor of the test harness")
	}
	c.suite.Groups = slices.DeleteFunc(c.suite.Groups, func(g suite.Group) bool { return len(g.Cases) == 0 })
	if len(c.suite.Groups) == 0 {
		return Result{}, errors.New("the file has no test")
	}
	c.unique()
	return Result{c.suite, c.left}, nil
}

type converter struct {
	suite *suite.Suite
	left  []string
}

func (c *converter) leave(place, format string, args ...any) {
	c.left = append(c.left, place+": "+fmt.Sprintf(format, args...))
}

// node is a mapping of the file and its place. Keys that are taken out of it are not
// reported as left out; see [node.rest].
type node struct {
	c    *converter
	at   string
	keys map[string]any
}

// take removes a key and returns its value.
func (n node) take(key string) any {
	v := n.keys[key]
	delete(n.keys, key)
	return v
}

// drop removes keys that have no meaning for a suite.
func (n node) drop(keys ...string) {
	for _, key := range keys {
		delete(n.keys, key)
	}
}

func (n node) place(key string) string { return strings.TrimPrefix(n.at+"."+key, ".") }

// text takes a string, or a number or boolean as a string.
func (n node) text(key string) string {
	switch v := n.take(key).(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any, []any:
		n.c.leave(n.place(key), "is not text")
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// number takes a number; nil if there is none.
func (n node) number(key string) *float64 {
	v := n.take(key)
	var f float64
	switch v := v.(type) {
	case nil:
		return nil
	case float64:
		f = v
	case uint64:
		f = float64(v)
	case int64:
		f = float64(v)
	default:
		n.c.leave(n.place(key), "is not a number")
		return nil
	}
	return &f
}

// truth takes a boolean; false if there is none.
func (n node) truth(key string) bool { v, _ := n.take(key).(bool); return v }

func (n node) texts(key string) []string {
	list, _ := n.take(key).([]any)
	var out []string
	for _, item := range list {
		out = append(out, fmt.Sprint(item))
	}
	return out
}

// below takes a mapping.
func (n node) below(key string) node {
	keys, _ := n.take(key).(map[string]any)
	if keys == nil {
		keys = map[string]any{}
	}
	return node{n.c, n.place(key), keys}
}

// list takes a list of mappings.
func (n node) list(key string) (all []node) {
	items, _ := n.take(key).([]any)
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", n.place(key), i)
		keys, ok := item.(map[string]any)
		if !ok {
			n.c.leave(at, "has no keys")
			continue
		}
		all = append(all, node{n.c, at, keys})
	}
	return all
}

// rest reports the keys that were not taken.
func (n node) rest() {
	names := make([]string, 0, len(n.keys))
	for key := range n.keys {
		names = append(names, key)
	}
	slices.Sort(names)
	for _, key := range names {
		n.c.leave(n.place(key), "has no counterpart in a suite")
	}
}

// unique numbers cases of the same name within a group, which other tools allow.
func (c *converter) unique() {
	for g := range c.suite.Groups {
		seen := map[string]int{}
		cases := c.suite.Groups[g].Cases
		for i := range cases {
			seen[cases[i].Name]++
			if n := seen[cases[i].Name]; n > 1 || cases[i].Name == "" {
				cases[i].Name = strings.TrimSpace(fmt.Sprintf("%s %d", cases[i].Name, n))
			}
		}
	}
}
