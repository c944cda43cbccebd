// Package draft writes a first suite for a running server: a case for each tool, with
// arguments generated from its inputSchema and tried out.
package draft

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"example.org/bridge/internal/harness/arguments"
	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

// Draft is a suite with comments for the person who completes it. Tried is the number of
// tools that were called.
type Draft struct {
	Suite    *suite.Suite
	Comments map[string]string
	Tried    int
}

// Call calls a tool. An error ends the draft; a failed call is reported in the reply.
type Call func(ctx context.Context, tool string, input map[string]any) (wire.Reply, error)

// mostQueries is the maximum number of result members that a case checks.
const mostQueries = 10

// New calls the named tools and writes a case for each of them, and disabled cases for the
// others. The server's command is copied unchanged.
func New(ctx context.Context, server suite.Server, tools contract.Tools, called []string, call Call) (Draft, error) {
	w := &writer{Draft: Draft{Comments: map[string]string{}}, group: suite.Group{Name: "tools"}}
	for _, name := range slices.Sorted(maps.Keys(tools)) {
		tool := tools[name]
		maker := arguments.New(tool.InputSchema(), tool.Input, 1)
		input, ok := maker.Simple()
		if !ok {
			input = map[string]any{}
		}
		switch {
		case !slices.Contains(called, name):
			w.off(name, input, "Not called: the tool is not marked as read-only. Check the input before you enable the case.")
		case !ok:
			w.off(name, input, "No arguments that fit the inputSchema were found: write some.")
		default:
			if err := w.try(ctx, tool, maker, input, call); err != nil {
				return Draft{}, err
			}
		}
	}
	w.Suite = &suite.Suite{Server: server, Groups: []suite.Group{w.group}}
	return w.Draft, nil
}

type writer struct {
	Draft
	group suite.Group
}

// add adds a case, with a comment above it.
func (w *writer) add(c suite.Case, comment string) {
	if comment != "" {
		w.Comments[fmt.Sprintf("test_suites[0].test_cases[%d]", len(w.group.Cases))] = comment
	}
	w.group.Cases = append(w.group.Cases, c)
}

// off adds a disabled case.
func (w *writer) off(name string, input map[string]any, why string) {
	no := false
	w.add(suite.Case{Name: name, Enabled: &no, Step: step(name, input)}, why)
}

func step(tool string, input map[string]any) suite.Step {
	plain, _ := suite.Plain(input).(map[string]any)
	return suite.Step{Tool: tool, Input: plain}
}

// try calls a tool and adds cases for what the call showed: that it succeeds, what its
// result contains, and that invalid arguments are refused.
func (w *writer) try(ctx context.Context, tool contract.Tool, maker *arguments.Maker, input map[string]any, call Call) error {
	w.Tried++
	reply, err := call(ctx, tool.Name, input)
	if err != nil {
		return err
	}
	result, failed := read(tool, reply)
	if failed {
		w.off(tool.Name, input, "The call failed with these arguments, which come from the inputSchema: write some that work.")
	} else {
		c := suite.Case{Name: tool.Name, Step: step(tool.Name, input)}
		c.Expected.JSON = queries(result.Value)
		w.add(c, "The arguments come from the inputSchema; add what the answer must contain.")
	}
	wrong, _, ok := maker.Invalid()
	if !ok {
		return nil
	}
	if reply, err = call(ctx, tool.Name, wrong); err != nil {
		return err
	}
	if _, refused := read(tool, reply); refused {
		c := suite.Case{Name: tool.Name + " refuses wrong arguments", Step: step(tool.Name, wrong)}
		c.ExpectError = true
		w.add(c, "")
	}
	return nil
}

// read reports whether a call failed, or violated the contract.
func read(tool contract.Tool, reply wire.Reply) (contract.Result, bool) {
	if reply.Error != nil {
		return contract.Result{}, true
	}
	result, found := contract.ReadResult(tool, reply.Result)
	return result, result.IsError || len(found) > 0
}

// queries returns queries on the members of an object, which should have the same types
// again.
func queries(value any) (all []suite.Query) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if len(all) == mostQueries {
			break
		}
		q := suite.Query{Path: fmt.Sprintf("$[%q]", name), Type: typeOf(object[name])}
		if plainName(name) {
			q.Path = "$." + name
		}
		all = append(all, q)
	}
	return all
}

func plainName(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// typeOf returns the JSON Schema type of a JSON value.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
