package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"example.org/bridge/internal/view"
)

// A lossyWriter passes lines on to another writer and never blocks its callers: a
// client that does not read its server's log must not hold up calls. Lines that find no
// room are dropped and counted.
type lossyWriter struct {
	to    io.Writer
	lines chan []byte
	ended chan struct{}

	mu     sync.Mutex
	lost   int
	closed bool
}

// lossyLines is how many lines can wait to be written.
const lossyLines = 1000

// lossyGrace is how long Close waits for the last lines.
const lossyGrace = 200 * time.Millisecond

func newLossyWriter(to io.Writer) *lossyWriter {
	w := &lossyWriter{to: to, lines: make(chan []byte, lossyLines), ended: make(chan struct{})}
	go w.run()
	return w
}

// Write queues one line. It always succeeds.
func (w *lossyWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return len(line), nil
	}
	if w.lost > 0 && len(w.lines) < cap(w.lines)-1 {
		w.lines <- fmt.Appendf(nil, "bridge: %s of the log dropped: not read in time\n", view.Count(int64(w.lost), "line"))
		w.lost = 0
	}
	select {
	case w.lines <- append([]byte(nil), line...):
	default:
		w.lost++
	}
	return len(line), nil
}

// Close waits for queued lines to be written, for at most lossyGrace.
func (w *lossyWriter) Close() {
	w.mu.Lock()
	w.closed = true
	close(w.lines)
	w.mu.Unlock()
	select {
	case <-w.ended:
	case <-time.After(lossyGrace):
	}
}

func (w *lossyWriter) run() {
	defer close(w.ended)
	for line := range w.lines {
		_, _ = w.to.Write(line) // if the reader is gone, nobody would see an error either
	}
}
