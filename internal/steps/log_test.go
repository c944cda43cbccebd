package steps_test

import (
	"context"
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/steps"
)

// The stores' part is tested in package storetest. These tests are about the
// rules.
func TestKept(t *testing.T) {
	for _, tt := range []struct {
		name         string
		last, forget int64
	}{
		{"the first", 0, 1 - steps.Kept},
		{"the last that takes no place", steps.Kept - 1, 0},
		{"one more", steps.Kept, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			caught := &catcher{last: tt.last}
			core := bridgetest.NewServed(t)
			p := bridgetest.NewPair(t, core.Service)
			if _, err := steps.New(core.Service, caught).LogStep(t.Context(), p.A, steps.LogRequest{Text: "x"}); err != nil {
				t.Fatal(err)
			}
			if got := caught.outcome; got.Step.Number != tt.last+1 || got.Forget != tt.forget || got.Refused != nil {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestRedactionMayLengthen checks that a text that becomes too long through the
// placeholders for its secrets is refused, not cut.
func TestRedactionMayLengthen(t *testing.T) {
	core := bridgetest.NewServed(t)
	p := bridgetest.NewPair(t, core.Service)
	short := "AKIA" + strings.Repeat("ABCD2345", 2)
	text := strings.Repeat(short+" ", steps.MaxText/len(short+" "))
	logged, err := core.LogStep(t.Context(), p.A, steps.LogRequest{Text: text})
	if err == nil && len(logged.Text) > steps.MaxText {
		t.Errorf("%d characters were kept", len(logged.Text))
	}
	if strings.Contains(logged.Text, short) {
		t.Error("the secret was kept")
	}
}

// catcher is a store that keeps only the outcome of a rule.
type catcher struct {
	steps.Store
	last    int64
	outcome steps.Outcome
}

func (c *catcher) LogStep(_ context.Context, _ bridge.Gate, _ int64, rule steps.Rule) (steps.Logged, error) {
	c.outcome = rule(steps.Scene{Last: c.last})
	return steps.Logged{Step: c.outcome.Step}, nil
}
