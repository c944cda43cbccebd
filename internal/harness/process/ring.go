package process

import "sync"

// ringBytes is how much of a server's standard error is kept.
const ringBytes = 8 << 10

// ring keeps the end of what is written to it.
type ring struct {
	mu   sync.Mutex
	data []byte
}

// Write never fails and never waits, so that a server's log cannot stop it.
func (r *ring) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tail := p[max(len(p)-ringBytes, 0):]
	r.data = append(r.data, tail...)
	if extra := len(r.data) - ringBytes; extra > 0 {
		r.data = append(r.data[:0], r.data[extra:]...)
	}
	return len(p), nil
}

func (r *ring) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.data)
}
