// Package keyfile keeps the master key of a store in a file of its own: 32 bytes,
// mode 0600, beside the store. What a key is, and what is derived from it, is in
// package auth.
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

// ErrNoKey reports that there is no key file. It is wrapped with the path.
var ErrNoKey = errors.New("there is no key file")

// Beside is where the key of a store is: beside it.
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

// LoadOrCreate reads the key file at path, or makes one with mode 0600. Any
// number of processes may call it at once: all get the same key. A file appears
// under its name only whole and synced, because it is linked there.
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

// Copy puts a copy of the key file at from under a new name, which must be
// free: the error is then fs.ErrExist.
func Copy(from, to string) error {
	key, err := Load(from)
	if err != nil {
		return err
	}
	return Save(key, to)
}

// Save writes a key under a name that must be free: the error is then fs.ErrExist.
func Save(key auth.Key, to string) error {
	return key.Keep(func(secret []byte) error {
		return privatefile.Write{New: true, Durable: true}.File(to, secret)
	})
}

func create(path string) error {
	secret := make([]byte, auth.KeySize)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	key, err := auth.NewKey(secret)
	if err != nil {
		return err
	}
	return Save(key, path)
}
