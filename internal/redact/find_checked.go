package redact

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"math/big"
	"slices"
	"strings"
)

// Keys that can be verified: by a checksum, a signature at a fixed place, or the
// public key that belongs to them.

// checkedAt hides the run from start to end if it is such a key, and reports
// whether it is.
func (f *finder) checkedAt(start, end int) bool {
	s := strings.TrimRight(f.text[start:end], "=")
	switch {
	case isAzureKey(s):
		f.add(start, end, kindAPIKey, rankFormat)
	case isWIF(s):
		f.add(start, end, kindPrivateKey, rankFormat)
	default:
		return false
	}
	return true
}

// azureMarks are the signatures that Azure puts ten characters before the end of
// its keys, by service: storage, Cosmos DB, batch, search, functions, container
// registry, service bus, event hubs, relay, IoT, cache, event grid, maps, API
// management, machine learning, SQL.
var azureMarks = []string{"+ASt", "ACDb", "+ABa", "AzSe", "AzFu", "+ACR", "+ASb", "+AEh", "+ARm", "AIoT", "AzCa", "AZEG", "AzMa", "APIM", "+AMC", "AzWp", "/AM7", "+SQL"}

// azureLengths are the lengths of such keys without padding: base64 of 32, 39, 40
// and 64 bytes.
var azureLengths = [...]int{43, 52, 54, 86}

// Annotated keys of Azure have 52 characters and then a signature, and are 84
// characters long, or 86 and two of padding.
const (
	annotatedMark  = 52
	minAnnotated   = 84
	maxAnnotated   = 86
	devOpsMark     = 76
	azureMarkToEnd = 10
)

// isAzureKey reports whether s, without padding, is a key with the signature of
// an Azure service.
func isAzureKey(s string) bool {
	n := len(s)
	switch {
	case n == minAnnotated && s[devOpsMark:devOpsMark+4] == "AZDO":
		return true
	case n == minAnnotated || n == maxAnnotated:
		if mark := s[annotatedMark:]; strings.HasPrefix(mark, "JQQJ9") && strings.IndexByte("9DH", mark[5]) >= 0 {
			return true
		}
	}
	return slices.Contains(azureLengths[:], n) && oneOf(s[n-azureMarkToEnd:n-azureMarkToEnd+4], azureMarks)
}

// base58 is the alphabet of base58, as used by Bitcoin.
const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// isWIF reports whether s is a private key in Bitcoin's wallet import format:
// base58 of a version, 32 bytes, an optional 1, and four bytes of a double
// SHA-256.
func isWIF(s string) bool {
	if len(s) != 51 && len(s) != 52 || strings.IndexByte("5KL9c", s[0]) < 0 {
		return false
	}
	n, radix := new(big.Int), big.NewInt(58)
	for i := range len(s) {
		k := strings.IndexByte(base58, s[i])
		if k < 0 {
			return false
		}
		n.Add(n.Mul(n, radix), big.NewInt(int64(k)))
	}
	b := n.Bytes()
	if len(b) != 37 && len(b) != 38 {
		return false
	}
	sum := sha256.Sum256(b[:len(b)-4])
	sum = sha256.Sum256(sum[:])
	return bytes.Equal(sum[:4], b[len(b)-4:])
}

// arrayAt hides the list of 64 bytes at the [ at i if it is an Ed25519 key pair,
// as in Solana's files: the second half is the public key of the first.
func (f *finder) arrayAt(i int) int {
	text := f.text
	key := make([]byte, 0, ed25519.PrivateKeySize)
	j := i + 1
	for len(key) < ed25519.PrivateKeySize {
		j = f.skipSpace(j)
		v, from := 0, j
		for j < len(text) && isDigit(text[j]) && j-from < 3 {
			v = v*10 + int(text[j]-'0')
			j++
		}
		if j == from || v > 255 {
			return i
		}
		key = append(key, byte(v))
		j = f.skipSpace(j)
		if j >= len(text) || text[j] != ',' && text[j] != ']' {
			return i
		}
		if text[j] == ']' {
			break
		}
		j++
	}
	if len(key) != ed25519.PrivateKeySize || text[j] != ']' || !bytes.Equal(ed25519.NewKeyFromSeed(key[:ed25519.SeedSize]), key) {
		return i
	}
	f.add(i+1, j, kindPrivateKey, rankFormat)
	return j
}
