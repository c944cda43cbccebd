package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"example.org/bridge/internal/bridge"
)

// Faults plants faults in a store.
type Faults struct {
	// Mark marks the calls in which statements may fail.
	Mark func(context.Context) context.Context
	// Arm makes the nth statement from now on fail, counting from 1; 0 disarms.
	Arm func(nth int)
	// Hit reports whether that statement was reached.
	Hit func() bool
	// Is reports whether an error is the planted one or describes it.
	Is func(error) bool
	// Content returns everything that the store holds.
	Content func() string
}

// EachStatementFails makes each statement of each operation fail, one at a time. The
// operation must report the error and, if it is a single transaction, must not have
// changed anything. If an error were dropped, the caller would take something for
// stored, or a partial result for complete.
func EachStatementFails(t *testing.T, open Opener, faults func(*testing.T, Store) Faults) {
	t.Helper()
	for _, o := range brokenOperations {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open)
			f := faults(t, w.storeA)
			call := o.prepare(t, newCommandWorld(t, w))
			before := f.Content()
			for nth := 1; ; nth++ {
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
				after := f.Content()
				if !o.parts && after != before {
					t.Errorf("statement %d failed, and something was changed: %s", nth, firstDifference(before, after))
				}
				before = after
			}
		})
	}
}

// firstDifference returns the texts around the point where they begin to differ.
func firstDifference(a, b string) string {
	const around = 200
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	from := max(0, at-around/2)
	return a[from:min(len(a), at+around)] + "\n-> " + b[from:min(len(b), at+around)]
}

// brokenOperation is an operation to be tested with failing statements. The function
// that prepare returns can be called again after a failure.
type brokenOperation struct {
	name    string
	prepare func(t *testing.T, c *commandWorld) func(context.Context) error
	// parts is set if the operation has more than one transaction; those before the
	// fault stay committed.
	parts bool
}

// simply returns an operation that needs only the two sessions.
func simply[T any](name string, call func(context.Context, *commandWorld) (T, error)) brokenOperation {
	return brokenOperation{name: name, prepare: func(_ *testing.T, c *commandWorld) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := call(ctx, c)
			return err
		}
	}}
}

// prepared returns an operation that other operations must prepare.
func prepared[T any](name string, prepare func(*testing.T, *commandWorld) func(context.Context) (T, error)) brokenOperation {
	return brokenOperation{name: name, prepare: func(t *testing.T, c *commandWorld) func(context.Context) error {
		call := prepare(t, c)
		return func(ctx context.Context) error {
			_, err := call(ctx)
			return err
		}
	}}
}

// refusedWith returns an operation that, without a fault, is refused and recorded.
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

// inParts marks an operation that has more than one transaction.
func inParts(o brokenOperation) brokenOperation {
	o.parts = true
	return o
}

// none is for operations that return only an error.
func none(err error) (struct{}, error) { return struct{}{}, err }

type nothing = struct{}

var everyone = []bridge.SessionID{bridge.Everyone}

// brokenOperations are the operations of all areas.
var brokenOperations = slices.Concat(
	brokenConversations, brokenDeliveries, brokenSessions, brokenOperator, brokenCommands, brokenTasks,
	brokenClaims, brokenFiles, brokenSteps, brokenKeys,
)
