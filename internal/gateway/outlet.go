package gateway

import (
	"encoding/json"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// maxWaiting is the maximum number of notifications queued for a client. A client
// subscribes to at most 64 URIs, and identical notifications are queued only once.
const maxWaiting = 128

// outlet queues notifications until they are written to a client. It implements
// stdio.Outlet.
type outlet struct {
	closing chan struct{}

	mu      sync.Mutex
	waiting [][]byte
	known   map[string]bool // queued notifications
	closed  bool
	ready   chan struct{} // holds a value while notifications are queued
}

func newOutlet() *outlet {
	return &outlet{closing: make(chan struct{}), known: map[string]bool{}, ready: make(chan struct{}, 1)}
}

// Notify implements stdio.Outlet. A notification identical to a queued one is not added. If
// the queue is full, the outlet is closed, because the client would otherwise miss this
// notification without knowing.
func (o *outlet) Notify(method string, params any) bool {
	encoded, err := json.Marshal(params)
	if err != nil {
		return false
	}
	text, err := jsonrpc.EncodeMessage(&jsonrpc.Request{Method: method, Params: encoded})
	if err != nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return false
	case o.known[string(text)]:
		return true
	case len(o.waiting) == maxWaiting:
		o.closeLocked()
		return false
	}
	o.waiting = append(o.waiting, text)
	o.known[string(text)] = true
	select {
	case o.ready <- struct{}{}:
	default:
	}
	return true
}

// Closing implements stdio.Outlet.
func (o *outlet) Closing() <-chan struct{} { return o.closing }

// take removes and returns the queued notifications.
func (o *outlet) take() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.waiting
	o.waiting = nil
	clear(o.known)
	return all
}

func (o *outlet) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// close closes the outlet: nothing more is queued.
func (o *outlet) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closeLocked()
}

func (o *outlet) closeLocked() {
	if !o.closed {
		o.closed = true
		close(o.closing)
	}
}
