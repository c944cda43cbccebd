package binding

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
)

const waiterSuffix = ".wait"

// Waiter is a process that waits for a client's session's mail. There is one at
// a time: a later one takes the place.
type Waiter struct {
	folder Folder
	path   string
	mark   []byte
}

// Wait makes the caller the waiter of the session under a label.
func (f Folder) Wait(ctx context.Context, l Label) (*Waiter, error) {
	w := &Waiter{folder: f, path: f.path(l, waiterSuffix), mark: []byte(rand.Text())}
	return w, f.locked(ctx, func() error { return f.replace(w.path, w.mark) })
}

// Displace takes the place from whoever waits for the session under a label, and
// gives it to nobody.
func (f Folder) Displace(l Label) error { return removed(os.Remove(f.path(l, waiterSuffix))) }

// Current reports whether no other process has taken the place.
func (w *Waiter) Current() bool {
	text, err := w.folder.read(w.path)
	return err == nil && bytes.Equal(text, w.mark)
}

// Close gives the place up.
func (w *Waiter) Close(ctx context.Context) error {
	return w.folder.locked(ctx, func() error {
		if !w.Current() {
			return nil
		}
		return removed(os.Remove(w.path))
	})
}
