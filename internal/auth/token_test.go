package auth_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"example.org/bridge/internal/auth"
)

func testKey(t testing.TB, fill byte) auth.Key {
	t.Helper()
	key, err := auth.NewKey(bytes.Repeat([]byte{fill}, auth.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// expectedToken computes a token from its definition, without the package.
func expectedToken(t *testing.T, fill byte, conversation, session string, nonce []byte) string {
	t.Helper()
	key, err := hkdf.Expand(sha256.New, bytes.Repeat([]byte{fill}, 32), "bridge/token", 32)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte{1})
	for _, part := range []string{conversation, session, string(nonce)} {
		if err := binary.Write(mac, binary.BigEndian, uint32(len(part))); err != nil {
			t.Fatal(err)
		}
		mac.Write([]byte(part))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

func TestIssue(t *testing.T) {
	const conversation = "conv_0123456789abcdef"
	nonce := bytes.Repeat([]byte{7}, auth.NonceSize)
	// These values must never change: tokens are derived again from the store.
	vectors := []struct {
		fill    byte
		session string
		want    string
	}{
		{0, "a", expectedToken(t, 0, conversation, "a", nonce)},
		{0, "b", expectedToken(t, 0, conversation, "b", nonce)},
		{0xff, "a", expectedToken(t, 0xff, conversation, "a", nonce)},
	}
	seen := map[string]bool{}
	for _, v := range vectors {
		got := auth.NewTokens(testKey(t, v.fill)).Issue(conversation, v.session, nonce)
		if got != v.want {
			t.Errorf("key %d, session %s: got %s, want %s", v.fill, v.session, got, v.want)
		}
		if len(got) != auth.TokenLength || strings.ToLower(got) != got || seen[got] {
			t.Errorf("%s is not a token of its own", got)
		}
		seen[got] = true
	}
}

func TestVerify(t *testing.T) {
	const conversation = "conv_0123456789abcdef"
	nonce, other := auth.NewNonce(), auth.NewNonce()
	tokens, foreign := auth.NewTokens(testKey(t, 1)), auth.NewTokens(testKey(t, 2))
	good := tokens.Issue(conversation, "a", nonce)
	tests := []struct {
		name                         string
		token, conversation, session string
		nonce                        []byte
		want                         bool
	}{
		{"good", good, conversation, "a", nonce, true},
		{"swapped", good, conversation, "b", nonce, false},
		{"other conversation", good, "conv_fedcba9876543210", "a", nonce, false},
		{"rotated", good, conversation, "a", other, false},
		{"foreign", foreign.Issue(conversation, "a", nonce), conversation, "a", nonce, false},
		{"upper case", strings.ToUpper(good), conversation, "a", nonce, false},
		{"empty", "", conversation, "a", nonce, false},
		{"cut short", good[:63], conversation, "a", nonce, false},
		{"longer", good + "0", conversation, "a", nonce, false},
		{"unknown session", good, conversation, "a", nil, false},
		// What Verify computes for an unknown session must not verify as a
		// token.
		{"unknown session, its stand-in", tokens.Issue(conversation, "a", make([]byte, auth.NonceSize)), conversation, "a", nil, false},
		{"empty nonce", good, conversation, "a", []byte{}, false},
		{"text moved between the parts", tokens.Issue(conversation+"a", "", nonce), conversation, "a", nonce, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tokens.Verify(tt.token, tt.conversation, tt.session, tt.nonce); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestNonces(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		nonce := auth.NewNonce()
		if len(nonce) != auth.NonceSize || seen[string(nonce)] {
			t.Fatalf("%x is not a fresh nonce", nonce)
		}
		seen[string(nonce)] = true
	}
}

// FuzzVerify looks for a token that is accepted although it is not the one
// issued.
func FuzzVerify(f *testing.F) {
	key, err := auth.NewKey(bytes.Repeat([]byte{3}, auth.KeySize))
	if err != nil {
		f.Fatal(err)
	}
	tokens, nonce := auth.NewTokens(key), bytes.Repeat([]byte{9}, auth.NonceSize)
	const conversation = "conv_0123456789abcdef"
	good := tokens.Issue(conversation, "a", nonce)
	f.Add(good, conversation, "a", nonce)
	f.Add(good, conversation, "b", nonce)
	f.Add(good, conversation[:20], "fa", nonce)
	f.Add(strings.ToUpper(good), conversation, "a", nonce)
	f.Add("", "", "", []byte(nil))
	f.Add("\xff\x00", "\xff", "a\x00", []byte{0})
	f.Fuzz(func(t *testing.T, token, conv, session string, n []byte) {
		same := token == good && conv == conversation && session == "a" && bytes.Equal(n, nonce)
		if got := tokens.Verify(token, conv, session, n); got && !same && token != tokens.Issue(conv, session, n) {
			t.Errorf("%q passes for %q, %q, %x", token, conv, session, n)
		} else if same && !got {
			t.Error("the good token is refused")
		}
		if own := tokens.Issue(conv, session, n); !tokens.Verify(own, conv, session, n) && n != nil {
			t.Errorf("%q, %q, %x: its own token is refused", conv, session, n)
		}
		if own := tokens.Issue(conv, session, n); own == good && !(conv == conversation && session == "a" && bytes.Equal(n, nonce)) {
			t.Errorf("%q, %q, %x has the token of another session", conv, session, n)
		}
	})
}
