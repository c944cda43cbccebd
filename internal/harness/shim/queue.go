package shim

import (
	"context"
	"sync"
)

// event is a message to a client. An answer is the last message for its request.
type event struct {
	data   []byte
	answer bool
}

// queue holds events until a client reads them. If nobody does, the oldest are dropped.
type queue struct {
	mu     sync.Mutex
	events []event
	more   chan struct{} // holds a value while there may be events
	closed bool
}

func newQueue() *queue { return &queue{more: make(chan struct{}, 1)} }

func (q *queue) put(e event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) >= mostWaiting {
		q.events = q.events[1:]
	}
	q.events = append(q.events, e)
	q.wake()
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// next waits for an event; false if there will be no more.
func (q *queue) next(ctx context.Context) (event, bool) {
	for {
		q.mu.Lock()
		if len(q.events) > 0 {
			e := q.events[0]
			q.events = q.events[1:]
			if len(q.events) > 0 || q.closed {
				q.wake()
			}
			q.mu.Unlock()
			return e, true
		}
		closed := q.closed
		if closed {
			q.wake() // for the next caller
		}
		q.mu.Unlock()
		if closed {
			return event{}, false
		}
		select {
		case <-q.more:
		case <-ctx.Done():
			return event{}, false
		}
	}
}
