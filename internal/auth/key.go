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

// ErrBadKey reports data that is not a master key. It is wrapped with the path of the
// key file.
var ErrBadKey = errors.New("the key file is damaged")

// Key is the master key of a store, from which all other keys are derived.
//
// It never prints its content: Format hides it, and where fmt does not call Format (an
// unexported field, or a verb that does not match) there is only a function to print.
// Keys cannot be compared with ==; use SameKey. The zero Key derives keys from 32 zero
// bytes and protects nothing.
type Key struct{ secret func() []byte }

// NewKey returns the key with the given secret. The error is ErrBadKey unless secret
// has KeySize bytes.
func NewKey(secret []byte) (Key, error) {
	if len(secret) != KeySize {
		return Key{}, fmt.Errorf("%w: it holds %d bytes, a key has %d", ErrBadKey, len(secret), KeySize)
	}
	own := bytes.Clone(secret)
	return Key{secret: func() []byte { return own }}, nil
}

// Format implements fmt.Formatter and hides the key for every verb. A String method
// would not be called for verbs such as %d.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "auth.Key(hidden)") }

// LogValue implements slog.LogValuer and hides the key.
func (Key) LogValue() slog.Value { return slog.StringValue("hidden") }

// Derive returns the 32-byte key for one purpose (HKDF-Expand with SHA-256, RFC 5869).
// Different purposes have independent keys, so that a proof made for one is never valid
// for another.
func (k Key) Derive(purpose string) []byte {
	secret := make([]byte, KeySize) // for the zero Key
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

// Keep calls write with the secret, so that it can be stored in a file. Only package
// keyfile may call it. It must not be called on the zero Key.
func (k Key) Keep(write func(secret []byte) error) error { return write(k.secret()) }

// SameKey reports, in constant time, whether two keys are equal.
func SameKey(a, b Key) bool { return hmac.Equal(a.Derive("same"), b.Derive("same")) }
