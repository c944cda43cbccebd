// Package doorbell wakes a process that waits for mail when another process has stored
// some.
//
// A waiter binds a Unix datagram socket in a private folder next to the store. A process
// that has committed something for the waiter sends one byte to that socket, without
// blocking and ignoring errors. The datagram is only a hint; the store has the truth: a
// waiter reads the store after it has bound the socket and before it sleeps, and again
// about every second, so that a lost datagram causes a delay and never a loss. Anyone
// who can write to the folder (the store's owner) can send one: that wakes a waiter
// unnecessarily and has no other effect.
package doorbell

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrUnsupported reports a platform without Unix datagram sockets. There, waiters read
// the store at short intervals instead.
var ErrUnsupported = errors.New("doorbells need unix datagram sockets, which this platform lacks")

// Doorbells is the folder with the sockets of one store's waiters. With the zero value
// Ring does nothing and Listen returns ErrUnsupported.
type Doorbells struct{ dir string }

// Beside returns the path of the folder that belongs to the store at path store.
func Beside(store string) string { return filepath.Join(filepath.Dir(store), "bells") }

// New returns the doorbells in the folder dir. The folder is created with mode 0700 on
// the first Listen.
func New(dir string) Doorbells { return Doorbells{dir: dir} }

// Listen makes a socket for key. rings receives a value after a Ring; several rings
// that were not received yet count as one. The caller must call stop, which removes the
// socket and waits until nothing more is sent to rings.
func (d Doorbells) Listen(key string) (rings <-chan struct{}, stop func() error, err error) {
	if d.dir == "" {
		return nil, nil, ErrUnsupported
	}
	folder := d.folder(key)
	random := make([]byte, 4)
	_, _ = rand.Read(random) // cannot fail (crypto/rand)
	for range attempts {
		err := errors.Join(makePrivate(d.dir), makePrivate(folder))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
			continue // others created or removed it in between
		}
		if err != nil {
			return nil, nil, fmt.Errorf("make the folder of doorbells: %w", err)
		}
		rings, stop, err = listen(folder, hex.EncodeToString(random))
		// Removing the last doorbell also removes the folder, perhaps right
		// now.
		if !errors.Is(err, fs.ErrNotExist) {
			return rings, stop, err
		}
	}
	return nil, nil, fmt.Errorf("create a doorbell: its folder %s keeps disappearing", folder)
}

// makePrivate creates a folder with mode 0700, whatever the umask is. An
// existing folder is not changed.
func makePrivate(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // a folder needs x
}

// attempts limits how often Listen creates a folder that others remove.
const attempts = 100

// Ring wakes every process that listens for key. It never blocks and reports no errors.
// Sockets of processes that have died are removed.
func (d Doorbells) Ring(key string) {
	if d.dir == "" {
		return
	}
	d.ringAll(d.folder(key))
}

func (d Doorbells) ringAll(folder string) {
	bells, err := os.ReadDir(folder)
	if err != nil {
		return // nobody listens
	}
	for _, bell := range bells {
		ring(folder, bell.Name())
	}
	if len(bells) == 0 {
		_ = os.Remove(folder) // left over by a waiter that was killed
	}
}

// Sweep removes the sockets of all processes that have died. It wakes all live
// waiters.
func (d Doorbells) Sweep() {
	if d.dir == "" {
		return
	}
	folders, err := os.ReadDir(d.dir)
	if err != nil {
		return
	}
	for _, folder := range folders {
		d.ringAll(filepath.Join(d.dir, folder.Name()))
		_ = os.Remove(filepath.Join(d.dir, folder.Name())) // fails if the folder is not empty
	}
}

// folder returns the folder of key's bells. Names are short, because the path
// of a unix socket holds at most 104 bytes (macOS) or 108 (Linux).
func (d Doorbells) folder(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(d.dir, hex.EncodeToString(sum[:5]))
}
