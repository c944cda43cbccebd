package process

import "sync"

// ringBytes is how many bytes of a server's standard error are kept.
const ringBytes = 8 << 10

// ring keeps the end of the data written to it.
type ring struct {
	mu   sync.Mutex
	data []byte
}

// Write never fails or blocks, so that a server cannot be stopped by its log.
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
