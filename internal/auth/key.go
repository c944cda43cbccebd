package auth

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"example.org/bridge/internal/privatefile"
)

// KeySize is the size of a master key in bytes.
const KeySize = 32

// Errors of the key file. Each is wrapped with the path it is about.
var (
	// ErrNoKey reports that there is no key file.
	ErrNoKey = errors.New("there is no key file")
	// ErrBadKey reports a file that is not a master key.
	ErrBadKey = errors.New("the key file is damaged")
)

// Key is the master key of a store. Everything secret is derived from it.
// It never prints itself: Format sees to that, and where fmt does not ask it (for
// an unexported field, or a verb that does not fit) it has a function to print,
// which has no content. Keys cannot be compared with ==.
type Key struct{ secret func() []byte }

// NewKey returns the key with the given secret, which must be KeySize bytes.
func NewKey(secret []byte) (Key, error) {
	if len(secret) != KeySize {
		return Key{}, fmt.Errorf("%w: it holds %d bytes, a key has %d", ErrBadKey, len(secret), KeySize)
	}
	own := bytes.Clone(secret)
	return Key{secret: func() []byte { return own }}, nil
}

// Format keeps the key out of whatever is printed, whichever verb is used: a
// String method would leave %d and its kind.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "auth.Key(hidden)") }

// LogValue keeps the key out of structured logs.
func (Key) LogValue() slog.Value { return slog.StringValue("hidden") }

// Derive returns an independent 32-byte key for one purpose (HKDF-SHA-256,
// RFC 5869). Different purposes never share a key, so what is signed for one
// cannot be passed off as another.
func (k Key) Derive(purpose string) []byte {
	secret := make([]byte, KeySize) // of the zero Key
	if k.secret != nil {
		secret = k.secret()
	}
	sub, err := hkdf.Expand(sha256.New, secret, "bridge/"+purpose, sha256.Size)
	if err != nil {
		// Expand fails only past 255 hash lengths (RFC 5869, section 2.3); this asks for one.
		panic(err)
	}
	return sub
}

// KeyBeside is where the key of a store is: beside it.
func KeyBeside(store string) string { return filepath.Join(filepath.Dir(store), "bridge.key") }

// LoadKey reads the key file at path. The error wraps ErrNoKey or ErrBadKey.
func LoadKey(path string) (Key, error) {
	// Reading a pipe would wait forever, and a device might never end.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return Key{}, fmt.Errorf("%s: %w: it is no ordinary file", path, ErrBadKey)
	}
	secret, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Key{}, fmt.Errorf("%w: %s", ErrNoKey, path)
	case err != nil:
		return Key{}, fmt.Errorf("read the key file: %w", err)
	}
	key, err := NewKey(secret)
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// LoadOrCreateKey reads the key file at path, or makes one with mode 0600. Any
// number of processes may call it at once: all get the same key. A file appears
// under its name only whole and synced, because it is linked there.
func LoadOrCreateKey(path string) (Key, error) {
	key, err := LoadKey(path)
	if !errors.Is(err, ErrNoKey) {
		return key, err
	}
	if err := createKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, fmt.Errorf("create the key file %s: %w", path, err)
	}
	return LoadKey(path)
}

// CopyKey puts a copy of the key file at from under a new name, which must be
// free: the error is then fs.ErrExist.
func CopyKey(from, to string) error {
	key, err := LoadKey(from)
	if err != nil {
		return err
	}
	return SaveKey(key, to)
}

// SaveKey writes a key under a name that must be free: the error is then fs.ErrExist.
func SaveKey(key Key, to string) error {
	return privatefile.Write{New: true, Durable: true}.File(to, key.secret())
}

// SameKey reports that two keys are one.
func SameKey(a, b Key) bool { return hmac.Equal(a.Derive("same"), b.Derive("same")) }

func createKey(path string) error {
	secret := make([]byte, KeySize)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	return privatefile.Write{New: true, Durable: true}.File(path, secret)
}
