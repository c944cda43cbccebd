package server_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"example.org/bridge/internal/postgres/server"
)

func FuzzQuote(f *testing.F) {
	for _, text := range []string{"", "plain", "a\x00b", "\x1a", "\x1a00", "caf\u00e9", "\xff\xfe", "\x00\x00", "end\x1a", "\u2028"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kept := server.Quote(text)
		if !utf8.ValidString(kept) || strings.ContainsRune(kept, 0) {
			t.Errorf("%q is kept as %q, which PostgreSQL refuses", text, kept)
		}
		if got := server.Unquote(kept); got != text {
			t.Errorf("%q comes back as %q", text, got)
		}
	})
}
