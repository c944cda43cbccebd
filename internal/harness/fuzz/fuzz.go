// Package fuzz calls tools, prompts and resource templates with arguments generated from
// their schemas, and finds calls that crash a server, are not answered, or are answered in
// violation of its contract. Failing calls are reduced to minimal ones and saved.
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

// Options determine what to call. The same seed makes the same calls.
type Options struct {
	Parts []contract.Primitive // what may be called
	Open  func(context.Context) (*wire.Conn, error)
	Limit time.Duration // for each call
	Seed  uint64
	Calls int    // for each part
	Saved []Case // called first
}

// Case is a call that failed.
type Case struct {
	What      string         `json:"what"` // as in [contract.Primitive], including its name
	Name      string         `json:"name"`
	Arguments map[string]any `json:"arguments"`
	Kind      finding.Kind   `json:"kind"`
}

// Failure is a minimal failing case, with the finding.
type Failure struct {
	Case
	Finding finding.Finding `json:"finding"`
}

type fuzzer struct {
	Options
	conn       *wire.Conn
	made       int  // number of calls
	unanswered int  // number of unanswered calls of the current part, each of which took a whole time limit
	atWork     bool // the current part takes long if its arguments ask for much
	found      []Failure
}

// Run makes the calls and returns one failure for each part and kind of finding. A part
// that leaves ten calls unanswered is not called any more. The error is that of Open. When
// ctx ends, no further call is made.
func Run(ctx context.Context, o Options) (found []Failure, calls int, err error) {
	f := &fuzzer{Options: o}
	defer func() {
		if f.conn != nil {
			f.conn.Close()
		}
	}()
	for _, part := range o.Parts {
		if err := f.part(ctx, part); err != nil {
			return f.found, f.made, err
		}
	}
	return f.found, f.made, nil
}

// part calls one part of the server, starting with the saved cases.
func (f *fuzzer) part(ctx context.Context, part contract.Primitive) error {
	if part.Input == nil {
		return nil // the list has a finding for it
	}
	f.unanswered, f.atWork = 0, false
	judge := arguments.New(part.Schema, part.Input, 0)
	for _, c := range f.Saved {
		if c.What != part.What || c.Name != part.Name {
			continue
		}
		if err := f.try(ctx, part, judge, c.Arguments); err != nil {
			return err
		}
	}
	for i := range f.calls(judge) {
		maker := arguments.New(part.Schema, part.Input, mix(f.Seed, part, i))
		made, ok := maker.Valid()
		if i%3 == 2 && part.HasSchema() {
			made, _, ok = maker.Invalid()
		}
		if !ok {
			continue
		}
		if err := f.try(ctx, part, judge, made); err != nil {
			return err
		}
	}
	return nil
}

// calls returns how often a part is called: once if it takes no values, because all calls
// would be the same.
func (f *fuzzer) calls(judge *arguments.Maker) int {
	if len(judge.Properties()) == 0 {
		return min(f.Calls, 1)
	}
	return f.Calls
}

// mix returns the seed of one call.
func mix(seed uint64, part contract.Primitive, i int) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %s %s %d", seed, part.What, part.Name, i)
	return h.Sum64()
}

// try makes a call, and reduces it if it fails in a new way.
func (f *fuzzer) try(ctx context.Context, part contract.Primitive, judge *arguments.Maker, made map[string]any) error {
	if ctx.Err() != nil || f.unanswered >= mostUnanswered {
		return nil //nolint:nilerr // the run was told to end, or would take too long
	}
	if f.atWork && f.asksForMuch(made) {
		return nil
	}
	fits := judge.Fits(made)
	what, err := f.call(ctx, part, made, fits)
	if err != nil || what == nil || f.known(part, what.Kind) {
		return err
	}
	if what.Kind == finding.NoAnswer && f.asksForMuch(made) {
		f.atWork = true
		return nil
	}
	smallest := Failure{Case{part.What, part.Name, made, what.Kind}, *what}
	again := func(smaller map[string]any) (bool, error) {
		if judge.Fits(smaller) != fits {
			return false, nil
		}
		got, err := f.call(ctx, part, smaller, fits)
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
	f.found = append(f.found, smallest)
	return err
}

// asksForMuch reports whether arguments contain a large number: one for which a second per
// unit exceeds the time limit, or at least a thousand. If such a call takes longer than the
// limit, this proves no fault, since it may have asked for 128 seconds, or 65,535 steps.
func (f *fuzzer) asksForMuch(v any) bool {
	const most = 1000
	switch v := v.(type) {
	case float64:
		return math.Abs(v) >= min(most, f.Limit.Seconds())
	case []any:
		return slices.ContainsFunc(v, f.asksForMuch)
	case map[string]any:
		for _, member := range v {
			if f.asksForMuch(member) {
				return true
			}
		}
	}
	return false
}

// Numbers of attempts to reduce a case, few if each takes a whole time limit; and how many
// calls of a part may do so.
const (
	mostShrinks     = 150
	mostSlowShrinks = 4
	mostUnanswered  = 10
)

func (f *fuzzer) known(part contract.Primitive, kind finding.Kind) bool {
	for _, k := range f.found {
		if k.What == part.What && k.Name == part.Name && k.Kind == kind {
			return true
		}
	}
	return false
}

// call makes one call and returns the first finding.
func (f *fuzzer) call(ctx context.Context, part contract.Primitive, made map[string]any, fits bool) (*finding.Finding, error) {
	if f.conn == nil {
		conn, err := f.Open(ctx)
		if err != nil {
			return nil, err
		}
		f.conn = conn
		f.conn.Findings() // findings from before the call are not related to the arguments
	}
	f.made++
	limited, cancel := context.WithTimeout(ctx, f.Limit)
	defer cancel()
	method, params := part.Request(made)
	reply, err := f.conn.Call(limited, method, params)
	found := f.conn.Findings()
	if f.conn.Broken() {
		if len(found) > 0 {
			f.conn.Kill()
		} else {
			f.conn.Close() // the way it ends may be a finding
			found = f.conn.Findings()
		}
		f.conn = nil
	}
	if err == nil {
		found = append(found, part.Judge(reply, fits)...)
	}
	if len(found) == 0 || ctx.Err() != nil {
		return nil, nil //nolint:nilnil // nothing was found
	}
	if found[0].Kind == finding.NoAnswer {
		f.unanswered++
	}
	return &found[0], nil
}
