// Package fuzz calls tools with arguments made from their schemas and finds calls that a
// server does not survive, leaves without an answer or answers against its contract. What
// fails is made as small as it can be and kept.
package fuzz

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"example.org/bridge/internal/harness/arguments"
	"example.org/bridge/internal/harness/contract"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/wire"
)

// Options say what to call. The same seed makes the same calls.
type Options struct {
	Tools contract.Tools
	Names []string // the tools that may be called
	Open  func(context.Context) (*wire.Conn, error)
	Limit time.Duration // for each call
	Seed  uint64
	Calls int    // for each tool
	Saved []Case // called first
}

// Case is a call that failed.
type Case struct {
	Tool      string         `json:"tool"`
	Arguments map[string]any `json:"arguments"`
	Kind      finding.Kind   `json:"kind"`
}

// Failure is a case as small as it was made, with what was found.
type Failure struct {
	Case
	Finding finding.Finding `json:"finding"`
}

type fuzzer struct {
	Options
	conn       *wire.Conn
	calls      int
	unanswered int    // calls of the tool in hand, each of which took a whole time limit
	atWork     string // the tool that takes long where it is asked for much
	found      []Failure
}

// Run makes the calls and returns one failure for each tool and kind of finding. A tool
// that leaves ten calls without an answer is not called any more. The error is the one
// of Open. When ctx ends, no further call is made.
func Run(ctx context.Context, o Options) (found []Failure, calls int, err error) {
	f := &fuzzer{Options: o}
	defer func() {
		if f.conn != nil {
			f.conn.Close()
		}
	}()
	for _, name := range o.Names {
		if err := f.tool(ctx, o.Tools[name]); err != nil {
			return f.found, f.calls, err
		}
	}
	return f.found, f.calls, nil
}

// tool calls one tool, first with what was saved.
func (f *fuzzer) tool(ctx context.Context, tool contract.Tool) error {
	if tool.Input == nil {
		return nil // the list has a finding for it
	}
	f.unanswered = 0
	schema := tool.InputSchema()
	judge := arguments.New(schema, tool.Input, 0)
	for _, c := range f.Saved {
		if c.Tool != tool.Name {
			continue
		}
		if err := f.try(ctx, tool, judge, c.Arguments); err != nil {
			return err
		}
	}
	for i := range f.Calls {
		maker := arguments.New(schema, tool.Input, mix(f.Seed, tool.Name, i))
		made, ok := maker.Valid()
		if i%3 == 2 {
			made, _, ok = maker.Invalid()
		}
		if !ok {
			continue
		}
		if err := f.try(ctx, tool, judge, made); err != nil {
			return err
		}
	}
	return nil
}

// mix makes the seed of one call.
func mix(seed uint64, tool string, i int) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %s %d", seed, tool, i)
	return h.Sum64()
}

// try makes a call, and shrinks it where it fails in a new way.
func (f *fuzzer) try(ctx context.Context, tool contract.Tool, judge *arguments.Maker, made map[string]any) error {
	if ctx.Err() != nil || f.unanswered >= mostUnanswered {
		return nil //nolint:nilerr // the run was told to end, or would take too long
	}
	if f.atWork == tool.Name && asksForMuch(made) {
		return nil
	}
	fits := judge.Fits(made)
	what, err := f.call(ctx, tool, made, fits)
	if err != nil || what == nil || f.known(tool.Name, what.Kind) {
		return err
	}
	smallest := Failure{Case{tool.Name, made, what.Kind}, *what}
	again := func(smaller map[string]any) (bool, error) {
		if judge.Fits(smaller) != fits {
			return false, nil
		}
		got, err := f.call(ctx, tool, smaller, fits)
		if err != nil || got == nil || got.Kind != what.Kind {
			return false, err
		}
		smallest.Arguments, smallest.Finding = smaller, *got
		return true, nil
	}
	most := mostShrinks
	if what.Kind == finding.NoAnswer {
		most = mostSlowShrinks
	}
	err = shrink(made, most, again)
	if what.Kind == finding.NoAnswer && asksForMuch(smallest.Arguments) {
		f.atWork = tool.Name
		return err
	}
	f.found = append(f.found, smallest)
	return err
}

// much is a number from which a call may take long because it was asked for that much.
const much = 1000

// asksForMuch reports a large number anywhere in arguments. That such a call takes longer
// than the limit is no proof: its caller wanted 65,535 steps.
func asksForMuch(v any) bool {
	switch v := v.(type) {
	case float64:
		return math.Abs(v) >= much
	case []any:
		return slices.ContainsFunc(v, asksForMuch)
	case map[string]any:
		for _, member := range v {
			if asksForMuch(member) {
				return true
			}
		}
	}
	return false
}

// Tries to make a case smaller, few where each takes a whole time limit; and how many
// calls of a tool may take one.
const (
	mostShrinks     = 150
	mostSlowShrinks = 4
	mostUnanswered  = 10
)

func (f *fuzzer) known(tool string, kind finding.Kind) bool {
	for _, k := range f.found {
		if k.Tool == tool && k.Kind == kind {
			return true
		}
	}
	return false
}

// call makes one call and returns the first thing that is wrong with what came of it.
func (f *fuzzer) call(ctx context.Context, tool contract.Tool, made map[string]any, fits bool) (*finding.Finding, error) {
	if f.conn == nil {
		conn, err := f.Open(ctx)
		if err != nil {
			return nil, err
		}
		f.conn = conn
		f.conn.Findings() // what is wrong without a call is no matter of arguments
	}
	f.calls++
	limited, cancel := context.WithTimeout(ctx, f.Limit)
	defer cancel()
	reply, err := f.conn.Call(limited, "tools/call", map[string]any{"name": tool.Name, "arguments": made})
	found := f.conn.Findings()
	if f.conn.Broken() {
		if len(found) > 0 {
			f.conn.Kill()
		} else {
			f.conn.Close() // how it ends may be what is wrong
			found = f.conn.Findings()
		}
		f.conn = nil
	}
	if err == nil {
		found = append(found, judge(tool, reply, fits)...)
	}
	if len(found) == 0 || ctx.Err() != nil {
		return nil, nil //nolint:nilnil // nothing was found
	}
	if found[0].Kind == finding.NoAnswer {
		f.unanswered++
	}
	return &found[0], nil
}

// internalError is the code for a fault inside of a server (JSON-RPC 2.0, section 5.1).
const internalError = -32603

// judge holds an answer against the contract.
func judge(tool contract.Tool, reply wire.Reply, fits bool) []finding.Finding {
	if reply.Error != nil {
		if reply.Error.Code == internalError {
			return []finding.Finding{{Kind: finding.InternalError, Text: "the server failed inside: " + reply.Error.Message}}
		}
		return nil
	}
	result, found := contract.ReadResult(tool, reply.Result)
	if !fits && !result.IsError && len(found) == 0 {
		found = append(found, finding.Finding{Kind: finding.TakesInvalid, Text: "the call succeeded, and its arguments do not fit the inputSchema"})
	}
	return found
}
