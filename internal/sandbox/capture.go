package sandbox

import (
	"io"
	"sync"
)

// capture keeps the first limit bytes written to it and discards the rest, so
// that the writer never blocks.
type capture struct {
	limit int

	mu   sync.Mutex
	kept []byte
	more bool
}

var _ io.Writer = (*capture)(nil)

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	keep := min(len(p), c.limit-len(c.kept))
	c.kept = append(c.kept, p[:keep]...)
	c.more = c.more || keep < len(p)
	return len(p), nil
}

// result returns a copy of the bytes kept, and whether more were written.
func (c *capture) result() ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]byte(nil), c.kept...), c.more
}
