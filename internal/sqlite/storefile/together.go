package storefile

import (
	"errors"
	"sync"
)

// Together runs one piece of work for all callers that ask for it at the same time, as
// one flush serves every commit before it. Use NewTogether to create one.
type Together struct {
	working chan struct{} // full while the work is running
	mu      sync.Mutex
	next    *round // the round that has not begun yet; nil if there is none
}

var errUnfinished = errors.New("the wait for the disk did not finish") // it panicked

// NewTogether returns a new Together.
func NewTogether() *Together { return &Together{working: make(chan struct{}, 1)} }

// round is one run of the work, with the callers that wait for it.
type round struct {
	done chan struct{}
	err  error
}

// Do returns after work has run once from beginning to end since Do was called. All
// callers must pass the same work. All callers that waited for the same run get its
// error.
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
	t.next = nil // callers that come from now on need another round
	t.mu.Unlock()
	defer close(r.done)
	r.err = work()
	return r.err
}
