// Package atrest encrypts the texts in a store, so that a stolen database reveals none.
//
// Each text is sealed individually with AES-256-GCM (NIST SP 800-38D) under a key
// derived from the store's master key, and bound to the place where it is stored: its
// column and its row. A sealed text that was changed or moved to another place does not
// open. It is stored as text (base64, RFC 4648 section 5, without padding) after a
// mark. So columns, copies and backups keep their form, and readers can tell sealed
// texts from clear ones, both of which a store may hold while it is being converted.
//
// SECURITY.md lists what is sealed and what stays clear; decision 0206 explains why.
package atrest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrDamaged reports a text that does not open: it was changed, was moved to another
// place in the store, was sealed with another key, or is in clear although all texts
// must be sealed.
var ErrDamaged = errors.New("damaged: a text of the store does not open; it was changed, belongs to another place or key, or was written in clear into an encrypted store")

// Marks at the beginning of a stored text. A clear text that begins like a mark is
// stored after markClear.
const (
	markPrefix = "\x02\x02"
	markSealed = markPrefix + "s:"
	markClear  = markPrefix + "c:"
)

// KeySize is the size in bytes of the keys that New requires.
const KeySize = 32

// Place identifies where a text is stored. It is not stored with the text: the reader
// supplies the place where the text was found.
type Place struct {
	// Column is the table and column, such as "steps.text".
	Column string
	// Of and Part identify the row, or what the row belongs to; they may be empty.
	Of, Part string
	// Number and Time complete that: an id or number, and a time in microseconds since
	// 1970.
	Number, Time int64
}

// bytes returns an unambiguous encoding of the place.
func (p Place) bytes() []byte {
	b := make([]byte, 0, 128)
	for _, text := range []string{p.Column, p.Of, p.Part} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(p.Number))
	return binary.BigEndian.AppendUint64(b, uint64(p.Time))
}

// Box seals and opens texts with one key. It is safe for concurrent use. A nil Box
// opens clear texts only.
type Box struct {
	random, fixed cipher.AEAD
	nonces        []byte // HMAC key for fixed nonces
}

// New returns the box of a store. derive returns a key of KeySize bytes for a purpose
// (auth.Key.Derive). The labels are part of the format.
func New(derive func(purpose string) []byte) *Box {
	return &Box{
		random: aead(derive("at rest, random nonces")),
		fixed:  aead(derive("at rest, fixed nonces")),
		nonces: derive("at rest, nonces"),
	}
}

func aead(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err == nil {
		var sealer cipher.AEAD
		if sealer, err = cipher.NewGCM(block); err == nil {
			return sealer
		}
	}
	panic(err) // only a key of the wrong size fails, and derived keys have 32 bytes
}

// Format implements fmt.Formatter and hides the keys for every verb.
func (*Box) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "atrest.Box(hidden)") }

// Seal returns the stored form of a text, which is different each time. At most 2^32
// texts should be sealed with one key (NIST SP 800-38D, section 8.3). The empty text
// stays empty.
func (b *Box) Seal(p Place, text string) string {
	nonce := make([]byte, b.random.NonceSize())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return seal(b.random, markSealed+"r", nonce, p, text)
}

// SealFixed returns a stored form that is always the same for the same text in the same
// place, so that queries can look for it. It reveals which rows of one place have equal
// texts, and nothing else.
func (b *Box) SealFixed(p Place, text string) string {
	mac := hmac.New(sha256.New, b.nonces)
	place := p.bytes()
	_, _ = mac.Write(binary.AppendUvarint(nil, uint64(len(place)))) // a hash never fails
	_, _ = mac.Write(place)
	_, _ = io.WriteString(mac, text)
	return seal(b.fixed, markSealed+"f", mac.Sum(nil)[:b.fixed.NonceSize()], p, text)
}

func seal(with cipher.AEAD, mark string, nonce []byte, p Place, text string) string {
	if text == "" {
		return ""
	}
	sealed := make([]byte, len(nonce), len(nonce)+len(text)+with.Overhead())
	copy(sealed, nonce)
	sealed = with.Seal(sealed, nonce, []byte(text), p.bytes())
	out := make([]byte, len(mark), len(mark)+base64.RawURLEncoding.EncodedLen(len(sealed)))
	copy(out, mark)
	return string(base64.RawURLEncoding.AppendEncode(out, sealed))
}

// Open returns the text of a stored form, whether sealed or clear. The error is
// ErrDamaged.
func (b *Box) Open(p Place, stored string) (string, error) {
	if !strings.HasPrefix(stored, markPrefix) {
		return stored, nil
	}
	if text, ok := strings.CutPrefix(stored, markClear); ok {
		return text, nil
	}
	kind, ok := strings.CutPrefix(stored, markSealed)
	if !ok { // stored before marks were introduced
		return stored, nil
	}
	if b == nil || kind == "" {
		return "", ErrDamaged
	}
	with := b.random
	switch kind[0] {
	case 'r':
	case 'f':
		with = b.fixed
	default:
		return "", ErrDamaged
	}
	return open(with, p, kind[1:])
}

func open(with cipher.AEAD, p Place, encoded string) (string, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(sealed) < with.NonceSize()+with.Overhead() || strings.ContainsAny(encoded, "\r\n") {
		return "", ErrDamaged
	}
	nonce, sealed := sealed[:with.NonceSize()], sealed[with.NonceSize():]
	text, err := with.Open(sealed[:0], nonce, sealed, p.bytes())
	if err != nil || len(text) == 0 {
		return "", ErrDamaged
	}
	return string(text), nil
}

// MarkLength is how many bytes at the start of a stored text Size needs.
const MarkLength = len(markSealed)

// Size returns the size of a text in bytes. start is the start of its stored form, of
// at least MarkLength bytes, and stored the size of the stored form.
func Size(start string, stored int) int {
	if !IsSealed(start) {
		return stored
	}
	// After the mark and the letter of the kind, base64 encodes a nonce of 12 bytes,
	// the text, and a tag of 16 bytes.
	return max(0, (stored-MarkLength-1)*3/4-12-16)
}

// IsSealed reports whether a stored text is sealed.
func IsSealed(stored string) bool { return strings.HasPrefix(stored, markSealed) }

// Clear returns the stored form of a text that is not sealed.
func Clear(text string) string {
	if strings.HasPrefix(text, markPrefix) {
		return markClear + text
	}
	return text
}

// Forms returns the two stored forms, clear and sealed, that a text written by
// Cipher.Fixed may have, depending on the store's state at the time.
func (b *Box) Forms(p Place, text string) (plain, sealed string) {
	plain = Clear(text)
	if b == nil {
		return plain, plain
	}
	return plain, b.SealFixed(p, text)
}
