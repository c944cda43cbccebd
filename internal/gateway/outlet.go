package gateway

import (
	"encoding/json"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// maxWaiting is how many notifications wait for a client at most. It follows at most 64
// URIs, and the same notification waits only once.
const maxWaiting = 128

// outlet keeps notifications until they are written to a client. It implements
// stdio.Outlet.
type outlet struct {
	closing chan struct{}

	mu      sync.Mutex
	waiting [][]byte
	known   map[string]bool // those that wait
	closed  bool
	ready   chan struct{} // has an element when some wait
}

func newOutlet() *outlet {
	return &outlet{closing: make(chan struct{}), known: map[string]bool{}, ready: make(chan struct{}, 1)}
}

// Notify implements stdio.Outlet. While the same notification waits, it says all that
// there is to say; where too many wait, a client that reads them misses this one, and so
// it ends.
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

// take takes what waits.
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

// close ends the outlet: nothing is queued any more.
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
