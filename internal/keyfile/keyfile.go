// Package keyfile keeps the master key of a store in a file of its own: 32 bytes,
// with mode 0600, in the folder of the store. Package auth defines the key and
// what is derived from it.
package keyfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"example.org/bridge/internal/auth"
	"example.org/bridge/internal/privatefile"
)

// ErrNoKey reports that there is no key file. The error that wraps it contains
// the path.
var ErrNoKey = errors.New("there is no key file")

// Beside returns the path of the key of a store, which is in the same folder.
func Beside(store string) string { return filepath.Join(filepath.Dir(store), "bridge.key") }

// Load reads the key file at path. The error wraps ErrNoKey or auth.ErrBadKey.
func Load(path string) (auth.Key, error) {
	// Reading a pipe would wait forever, and a device might never end.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return auth.Key{}, fmt.Errorf("%s: %w: it is not an ordinary file", path, auth.ErrBadKey)
	}
	secret, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return auth.Key{}, fmt.Errorf("%w: %s", ErrNoKey, path)
	case err != nil:
		return auth.Key{}, fmt.Errorf("read the key file: %w", err)
	}
	key, err := auth.NewKey(secret)
	if err != nil {
		return auth.Key{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// LoadOrCreate reads the key file at path, or creates it with mode 0600. Any
// number of processes may call it at the same time: all get the same key. The
// file is written and synced under another name and then linked, so that it is
// never seen incomplete.
func LoadOrCreate(path string) (auth.Key, error) {
	key, err := Load(path)
	if !errors.Is(err, ErrNoKey) {
		return key, err
	}
	if err := create(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return auth.Key{}, fmt.Errorf("create the key file %s: %w", path, err)
	}
	return Load(path)
}

// Copy copies the key file from to a new name. If that exists, the error is
// fs.ErrExist.
func Copy(from, to string) error {
	key, err := Load(from)
	if err != nil {
		return err
	}
	return Save(key, to)
}

// Save writes a key under a new name. If that exists, the error is fs.ErrExist.
func Save(key auth.Key, to string) error {
	return key.Keep(func(secret []byte) error {
		return privatefile.Write{New: true, Durable: true}.File(to, secret)
	})
}

func create(path string) error {
	secret := make([]byte, auth.KeySize)
	_, _ = rand.Read(secret) // cannot fail (crypto/rand)
	key, err := auth.NewKey(secret)
	if err != nil {
		return err
	}
	return Save(key, path)
}
