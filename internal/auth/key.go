package auth

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// KeySize is the size of a master key in bytes.
const KeySize = 32

// ErrBadKey reports what is not a master key. It is wrapped with the path of the
// file that it comes from.
var ErrBadKey = errors.New("the key file is damaged")

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

// Keep gives write the secret itself, so that it can be kept in a file. It is for
// package keyfile alone.
func (k Key) Keep(write func(secret []byte) error) error { return write(k.secret()) }

// SameKey reports that two keys are one.
func SameKey(a, b Key) bool { return hmac.Equal(a.Derive("same"), b.Derive("same")) }
