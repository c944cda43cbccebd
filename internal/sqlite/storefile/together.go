package storefile

import (
	"errors"
	"sync"
)

// Together carries out one piece of work for all who ask for it at the same time, as
// one wait for the disk serves every commit before it. NewTogether makes one.
type Together struct {
	working chan struct{} // holds something while the work is carried out
	mu      sync.Mutex
	next    *round // whose work has not begun; nil for none
}

var errUnfinished = errors.New("the wait for the disk did not come to its end") // it panicked

// NewTogether returns one that nobody uses yet.
func NewTogether() *Together { return &Together{working: make(chan struct{}, 1)} }

// round is one time that the work is carried out, and those who wait for it.
type round struct {
	done chan struct{}
	err  error
}

// Do returns when work, which must be the same for all, was carried out once from
// beginning to end since Do was called. Its error is that of everybody who waited for it.
func (t *Together) Do(work func() error) error {
	t.mu.Lock()
	if r := t.next; r != nil {
		t.mu.Unlock()
		<-r.done
		return r.err
	}
	r := &round{done: make(chan struct{}), err: errUnfinished}
	t.next = r
	t.mu.Unlock()
	t.working <- struct{}{}
	defer func() { <-t.working }()
	t.mu.Lock()
	t.next = nil // who comes from now on needs another round
	t.mu.Unlock()
	defer close(r.done)
	r.err = work()
	return r.err
}
