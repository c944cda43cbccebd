package auth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"example.org/bridge/internal/auth"
)

func TestDerive(t *testing.T) {
	one, other := testKey(t, 1), testKey(t, 2)
	seen := map[string]bool{}
	for _, derived := range [][]byte{one.Derive("a"), one.Derive("b"), one.Derive(""), other.Derive("a")} {
		if len(derived) != 32 || seen[string(derived)] {
			t.Errorf("%x is not a key of its own", derived)
		}
		seen[string(derived)] = true
	}
	if !bytes.Equal(one.Derive("a"), testKey(t, 1).Derive("a")) {
		t.Error("the same purpose gives two keys")
	}
}

func TestKeyNeverPrintsItself(t *testing.T) {
	const secret = "0123456789abcdef-is-not-printed!"
	key, err := auth.NewKey([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	var printed strings.Builder
	for _, verb := range "vsqxXdobcUtpeg" {
		for _, flag := range []string{"", "+", "#", "% ", "20", "-20", "."} {
			format := "%" + flag + string(verb)
			for _, v := range []any{key, &key, []auth.Key{key}, struct{ Key auth.Key }{key}, struct{ key auth.Key }{key}, map[string]auth.Key{"k": key}} {
				fmt.Fprintf(&printed, format+"\n", v)
			}
		}
	}
	for _, handler := range []slog.Handler{
		slog.NewTextHandler(&printed, nil),
		slog.NewJSONHandler(&printed, nil),
	} {
		slog.New(handler).Info("key", "key", key, "struct", struct{ Key auth.Key }{key}, "pointer", &key)
	}
	encoded, err := json.Marshal(struct{ Key auth.Key }{key})
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(encoded)
	fmt.Fprintln(&printed, key, errors.Join(fmt.Errorf("key %v", key)))

	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), "48 49 50", "0x30, 0x31", "30 31 32", "60 61 62", "110000 110001", "MDEyMzQ1"} {
		if strings.Contains(printed.String(), form) {
			t.Errorf("the key printed itself as %.20q…", form)
		}
	}
}
