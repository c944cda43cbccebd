package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/sleep"
)

// Pauses between two attempts.
const (
	firstPause = 50 * time.Millisecond
	maxPause   = 2 * time.Second
)

// request describes an operation to send.
type request struct {
	name      string
	arguments []any
	// again is set if the operation may be repeated when its answer was lost. stores is set
	// if it stores something, although only once: an error then must not be taken as proof
	// that nothing was stored.
	again, stores bool
	// single is set if the operation is tried only once.
	single bool
	// wait is how long the gateway may wait before it answers.
	wait time.Duration
}

// outcome is the result of an attempt.
type outcome int

const (
	answered outcome = iota // it was carried out, or refused permanently
	undone                  // it was not started
	lost                    // it may have been carried out
)

// fate holds further information on an operation.
type fate struct {
	lost     bool // an earlier answer was lost
	done     bool // it was carried out, but the answer cannot be decoded
	draining bool // the gateway is shutting down
}

// do carries out an operation and decodes its results, without the error, into results.
func (c *Conn) do(ctx context.Context, r request, results ...any) (f fate, err error) {
	if r.arguments == nil {
		r.arguments = []any{}
	}
	body, err := json.Marshal(r.arguments)
	if err != nil {
		return f, err
	}
	until := time.Now().Add(c.o.TryFor)
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		what, err := c.attempt(ctx, r, body, results, &f)
		if what == answered {
			c.logAway(nil)
			return f, r.answered(f, err)
		}
		f.lost = f.lost || what == lost
		if ctx.Err() == nil {
			c.logAway(err)
		}
		over := r.single || f.lost && !r.again || time.Now().Add(pause).After(until)
		if over || sleep.For(ctx, spread(pause)) != nil {
			return f, r.givenUp(ctx, f, err)
		}
	}
}

// spread returns a random pause between half of d and d, so that waiting clients do not all
// retry simultaneously.
func spread(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2) //nolint:gosec // G404: no secret
}

// answered returns the error of an operation that was finally answered. A refusal does not
// apply to an earlier attempt whose answer was lost, which may have been carried out.
func (r request) answered(f fate, err error) error {
	if err != nil && (f.lost || f.done) && r.unsure() {
		return fmt.Errorf("%w: %w", bridge.ErrAnswerLost, err)
	}
	return err
}

// unsure reports whether it matters if a lost operation was carried out.
func (r request) unsure() bool { return r.stores || !r.again }

// givenUp returns the error of an operation that was not answered.
func (r request) givenUp(ctx context.Context, f fate, last error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case f.lost && r.unsure():
		return fmt.Errorf("%w: %w", bridge.ErrAnswerLost, last)
	case f.lost || errors.Is(last, errTransport):
		return fmt.Errorf("%w: %w", bridge.ErrGatewayAway, last)
	}
	return last
}

// logAway logs once that the gateway does not answer, and once that it answers again.
func (c *Conn) logAway(err error) {
	switch {
	case err != nil && !c.away.Swap(true):
		c.o.Log.Warn("the gateway does not answer; retrying calls", "gateway", c.o.Join.Address, "error", err)
	case err == nil && c.away.Load() && c.away.Swap(false):
		c.o.Log.Info("the gateway answers again", "gateway", c.o.Join.Address)
	}
}
