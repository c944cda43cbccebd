package sleep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"example.org/bridge/internal/sleep"
)

func TestFor(t *testing.T) {
	for name, c := range map[string]struct {
		d, endsAfter time.Duration // of the context; -1: already ended, 0: never ends
		took         time.Duration
		cut          bool
	}{
		"the whole time":                {d: time.Hour, took: time.Hour},
		"no time":                       {d: 0},
		"less than no time":             {d: -time.Second},
		"a context that ends meanwhile": {d: time.Hour, endsAfter: time.Minute, took: time.Minute, cut: true},
		"a context that ends later":     {d: time.Minute, endsAfter: time.Hour, took: time.Minute},
		"a context that has ended":      {d: time.Hour, endsAfter: -1, cut: true},
		"no time, and a context ended":  {d: 0, endsAfter: -1, cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				switch {
				case c.endsAfter < 0:
					cancel()
				case c.endsAfter > 0:
					time.AfterFunc(c.endsAfter, cancel)
				}
				began := time.Now()
				err := sleep.For(ctx, c.d)
				if cut := errors.Is(err, context.Canceled); cut != c.cut || !cut && err != nil {
					t.Errorf("got %v", err)
				}
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %v, not %v", took, c.took)
				}
			})
		})
	}
}

// TestEndedContextWins checks that an elapsed time does not hide that the context has
// ended. It uses real timers, because there either could be seen first.
func TestEndedContextWins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 1000 {
		if err := sleep.For(ctx, -time.Second); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
}
