package storefile_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"example.org/bridge/internal/sqlite/storefile"
)

// TestTogether checks that callers who come while the work is running wait for the next
// round, and that one round serves all callers that came before it began.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := storefile.NewTogether()
		var rounds atomic.Int64
		release := make(chan struct{})
		fault := errors.New("of the disk")
		work := func() error {
			n := rounds.Add(1)
			<-release
			if n == 2 {
				return fault
			}
			return nil
		}
		var first, others sync.WaitGroup
		first.Go(func() {
			if err := g.Do(work); err != nil {
				t.Errorf("the first round: %v", err)
			}
		})
		synctest.Wait() // the first round is running
		var ended, failed atomic.Int64
		for range 20 {
			others.Go(func() {
				if errors.Is(g.Do(work), fault) {
					failed.Add(1)
				}
				ended.Add(1)
			})
		}
		synctest.Wait()
		release <- struct{}{}
		first.Wait()
		synctest.Wait()
		if ended.Load() != 0 {
			t.Fatalf("%d got the result of a round that had begun before they called", ended.Load())
		}
		release <- struct{}{}
		others.Wait()
		if rounds.Load() != 2 || failed.Load() != 20 {
			t.Errorf("%d rounds, and %d of 20 got the error", rounds.Load(), failed.Load())
		}
		go func() { release <- struct{}{} }()
		if err := g.Do(work); err != nil {
			t.Errorf("a later round: %v", err)
		}
	})
}
