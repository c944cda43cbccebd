package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"example.org/bridge/internal/bridge"
)

// Faults are the faults that a test plants in a store.
type Faults struct {
	// Mark marks the calls whose statements fail.
	Mark func(context.Context) context.Context
	// Arm lets the nth statement from now on fail, from 1, and none for 0.
	Arm func(nth int)
	// Hit reports whether that statement was carried out.
	Hit func() bool
	// Is reports whether an error is, or says, what failed.
	Is func(error) bool
	// Content is all that the store holds.
	Content func() string
}

// EachStatementFails lets each statement of each operation fail, one at a time: the
// operation says so, and has changed nothing if it is one transaction. A caller that is
// not told would take for stored, or for all there is, what is not.
func EachStatementFails(t *testing.T, open Opener, faults func(*testing.T, Store) Faults) {
	t.Helper()
	for _, o := range brokenOperations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open)
			f := faults(t, w.storeA)
			call := o.prepare(t, newCommandWorld(t, w))
			for nth := 1; ; nth++ {
				before := f.Content()
				f.Arm(nth)
				err := call(f.Mark(t.Context()))
				hit := f.Hit()
				f.Arm(0)
				if !hit {
					if err != nil {
						t.Errorf("without a fault: %v", err)
					}
					if nth == 1 {
						t.Error("no statement could fail")
					}
					return
				}
				if !f.Is(err) {
					t.Errorf("statement %d failed, and the answer is: %v", nth, err)
				}
				if after := f.Content(); !o.parts && after != before {
					t.Errorf("statement %d failed, and something was changed: %s", nth, firstDifference(before, after))
				}
			}
		})
	}
}

// firstDifference shows where two texts begin to differ.
func firstDifference(a, b string) string {
	const around = 200
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	from := max(0, at-around/2)
	return a[from:min(len(a), at+around)] + "\n-> " + b[from:min(len(b), at+around)]
}

// brokenOperation is an operation whose statements fail. What prepare returns can be
// called again where it has failed.
type brokenOperation struct {
	name    string
	prepare func(t *testing.T, c *commandWorld) func(context.Context) error
	// parts says that it is more than one transaction, of which those before the fault stay.
	parts bool
}

// simply is an operation that needs nothing but the two sessions.
func simply[T any](name string, call func(context.Context, *commandWorld) (T, error)) brokenOperation {
	return brokenOperation{name: name, prepare: func(_ *testing.T, c *commandWorld) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := call(ctx, c)
			return err
		}
	}}
}

// prepared is an operation behind others.
func prepared[T any](name string, prepare func(*testing.T, *commandWorld) func(context.Context) (T, error)) brokenOperation {
	return brokenOperation{name: name, prepare: func(t *testing.T, c *commandWorld) func(context.Context) error {
		call := prepare(t, c)
		return func(ctx context.Context) error {
			_, err := call(ctx)
			return err
		}
	}}
}

// refusedWith is an operation that is refused where nothing fails, and recorded.
func refusedWith[T any](name string, want error, call func(context.Context, *commandWorld) (T, error)) brokenOperation {
	return simply(name, func(ctx context.Context, c *commandWorld) (T, error) {
		answer, err := call(ctx, c)
		switch {
		case errors.Is(err, want):
			return answer, nil
		case err == nil:
			return answer, errors.New("it was not refused")
		}
		return answer, err
	})
}

// inParts says that an operation is more than one transaction.
func inParts(o brokenOperation) brokenOperation {
	o.parts = true
	return o
}

// none is the answer of an operation that has none.
func none(err error) (struct{}, error) { return struct{}{}, err }

type nothing = struct{}

var everyone = []bridge.SessionID{bridge.Everyone}

// brokenOperations are those of all rooms.
var brokenOperations = slices.Concat(
	brokenConversations, brokenDeliveries, brokenSessions, brokenOperator, brokenCommands, brokenTasks,
	brokenClaims, brokenFiles, brokenSteps, brokenKeys,
)
