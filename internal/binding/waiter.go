package binding

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
)

const waiterSuffix = ".wait"

// Waiter is a process that waits for mail of a client session. A session has one waiter
// at a time: a later one replaces it.
type Waiter struct {
	folder Folder
	path   string
	mark   []byte
}

// Wait makes the caller the waiter of the client session with label l, in place of any
// earlier one.
func (f Folder) Wait(ctx context.Context, l Label) (*Waiter, error) {
	w := &Waiter{folder: f, path: f.path(l, waiterSuffix), mark: []byte(rand.Text())}
	return w, f.locked(ctx, func() error { return f.replace(w.path, w.mark) })
}

// Displace removes the process that waits for mail of the session with label l, so that
// its Waiter is no longer current. It is not an error if none waits.
func (f Folder) Displace(l Label) error { return removed(os.Remove(f.path(l, waiterSuffix))) }

// Current reports whether the waiter has not been replaced or displaced.
func (w *Waiter) Current() bool {
	text, err := w.folder.read(w.path)
	return err == nil && bytes.Equal(text, w.mark)
}

// Close removes the waiter, unless another one has replaced it.
func (w *Waiter) Close(ctx context.Context) error {
	return w.folder.locked(ctx, func() error {
		if !w.Current() {
			return nil
		}
		return removed(os.Remove(w.path))
	})
}
