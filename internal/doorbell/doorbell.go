// Package doorbell lets a process wait for mail that another process stores.
//
// A waiter binds a unix datagram socket in a private folder beside the store;
// whoever has committed something for it sends one byte there, without blocking
// and ignoring errors. A ring is a hint and the store is the truth: a waiter
// looks into the store after it has begun to listen and before it sleeps, and
// again every second or so, so that a lost ring delays and never loses. Anyone
// who can write to the folder (the store's owner) could ring: that wakes a
// waiter for nothing, no more.
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

// ErrUnsupported reports a platform without unix datagram sockets. Waiters
// there fall back on looking into the store at short intervals.
var ErrUnsupported = errors.New("doorbells need unix datagram sockets, which this platform lacks")

// Doorbells is the folder of one store's bells. The zero value has no bells:
// its Ring does nothing and its Listen fails.
type Doorbells struct{ dir string }

// Beside is where the bells of a store are: in a folder beside it.
func Beside(store string) string { return filepath.Join(filepath.Dir(store), "bells") }

// New returns the doorbells in dir. The folder is made, with mode 0700, when
// somebody first listens.
func New(dir string) Doorbells { return Doorbells{dir: dir} }

// Listen hangs up a bell for key. rings receives after each ring; rings that
// nobody took yet are one. stop takes the bell down and waits until it is silent.
func (d Doorbells) Listen(key string) (rings <-chan struct{}, stop func() error, err error) {
	if d.dir == "" {
		return nil, nil, ErrUnsupported
	}
	folder := d.folder(key)
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	for range attempts {
		err := errors.Join(makePrivate(d.dir), makePrivate(folder))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
			continue // others made or removed it in between
		}
		if err != nil {
			return nil, nil, fmt.Errorf("make the folder of doorbells: %w", err)
		}
		rings, stop, err = listen(folder, hex.EncodeToString(random))
		// Whoever takes the last bell down removes the folder, perhaps now.
		if !errors.Is(err, fs.ErrNotExist) {
			return rings, stop, err
		}
	}
	return nil, nil, fmt.Errorf("hang up a doorbell: its folder %s keeps disappearing", folder)
}

// makePrivate makes a folder with mode 0700, whatever the umask takes away. One
// that is there stays as it is.
func makePrivate(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // a folder needs x
}

// attempts bounds how often Listen makes a folder that others remove.
const attempts = 100

// Ring wakes everybody who listens for key, in any process. It never blocks
// and never fails: a bell whose owner died is taken down.
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
		_ = os.Remove(folder) // what is left of a waiter that was killed
	}
}

// Sweep takes down the bells of all who have died, whatever they listened for.
// Who lives is woken for nothing.
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
		_ = os.Remove(filepath.Join(d.dir, folder.Name())) // one that is not empty stays
	}
}

// folder returns the folder of key's bells. Names are short, because the path
// of a unix socket holds at most 104 bytes (macOS) or 108 (Linux).
func (d Doorbells) folder(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(d.dir, hex.EncodeToString(sum[:5]))
}
