package auth_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"example.org/bridge/internal/auth"
)

func TestNewJoinCode(t *testing.T) {
	form := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$`)
	seen, letters := map[string]bool{}, map[byte]bool{}
	for range 2000 {
		code := auth.NewJoinCode()
		if !form.MatchString(code) || seen[code] {
			t.Fatalf("%q is not a fresh join code", code)
		}
		seen[code] = true
		for i := range len(code) {
			letters[code[i]] = true
		}
	}
	if len(letters) != 33 { // 32 characters and the hyphen
		t.Errorf("the codes use %d characters", len(letters))
	}
}

func TestJoinCodeHash(t *testing.T) {
	codes := auth.NewJoinCodes(testKey(t, 1))
	want := codes.Hash("7KQ1M-X0D4T")
	for _, same := range []string{
		"7kq1m-x0d4t", "7KQ1MX0D4T", " 7KQ1M - X0D4T\r\n", "7KQIM-XOD4T", "7kqlm-xod4t", "7K-Q1-MX-0D\t4T", "7KQ1M_X0D4T",
		"\"7KQ1M-X0D4T\"", "`7KQ1M-X0D4T`.", "7KQ1M\u2013X0D4T", "7KQ1M\u2212X0D4T", "\u201c7KQ1M\u2014\nX0D4T\u201d", "\u200b7KQ1M-X0D4T\ufeff",
		"The join code is 7kq1m-x0d4t.", "Join code:\n\n    7KQ1M\u2011X0D4T (10 minutes)", "\uff17\uff2b\uff31\uff11\uff2d-X0D4T",
	} {
		if !bytes.Equal(codes.Hash(same), want) {
			t.Errorf("%q is not read as the same code", same)
		}
	}
	for _, other := range []string{"", "7KQ1M-X0D4", "7KQ1M-X0D4T0", "7KQ1M-X0D4U", "X0D4T-7KQ1M", "codes 7KQ1M-X0D4T, 7KQ1M-X0D4U"} {
		if bytes.Equal(codes.Hash(other), want) {
			t.Errorf("%q is read as the same code", other)
		}
	}
	if bytes.Equal(auth.NewJoinCodes(testKey(t, 2)).Hash("7KQ1M-X0D4T"), want) {
		t.Error("another key gives the same hash")
	}
	if bytes.Contains(want, []byte("7KQ1M")) || len(want) != 32 {
		t.Errorf("%x is not a hash", want)
	}
}

// TestReadJoinCodeGivesOneForm checks that a code is always returned as five
// characters, a hyphen and five characters, however it was pasted.
func TestReadJoinCodeGivesOneForm(t *testing.T) {
	for _, text := range []string{"7KQ2M-X9D4T", "7kq2mx9d4t", " 7KQ2M - X9D4T\n", "7KQ2M–X9D4T."} {
		if code, ok := auth.ReadJoinCode(text); !ok || code != "7KQ2M-X9D4T" {
			t.Errorf("%q: got %q, %v", text, code, ok)
		}
	}
}

// TestReadJoinCodeRefuses checks that text with no code or with several is
// refused.
func TestReadJoinCodeRefuses(t *testing.T) {
	for _, text := range []string{
		"", "7KQ2M", "7KQ2M-X9D4", "7KQ2M-X9D4T0", "7KQ2MX9D4U", "U7KQ2-MX9D4", "7KQ2M-UX9D4", "the code is 7KQ2M-X9D4U",
		"7KQ2M-X9D4T 7KQ2M-X9D4T", "7KQ2M-X9D4T, 7KQ2M-X9D4V or 7KQ2M-X9D4W", "7KQ2M-X9D4T7KQ2M-X9D4V",
	} {
		if code, ok := auth.ReadJoinCode(text); ok || code != "" {
			t.Errorf("%q: got %q, %v", text, code, ok)
		}
	}
}

// TestReadJoinCodeFullWidth checks the first and the last of the characters that have
// a full-width form.
func TestReadJoinCodeFullWidth(t *testing.T) {
	const fullWidth = "\uff10\uff19\uff21\uff3a\uff41\uff5a0000" // 0 9 A Z a z
	if code, ok := auth.ReadJoinCode(fullWidth); !ok || code != "09AZA-Z0000" {
		t.Errorf("got %q, %v", code, ok)
	}
}

// TestReadJoinCodeInLongText checks that only the beginning of a long text is
// searched.
func TestReadJoinCodeInLongText(t *testing.T) {
	const code = " 7KQ2M-X9D4T"
	for length, want := range map[int]bool{1000: true, 1001: false} {
		text := strings.Repeat(".", length-len(code)) + code
		if _, ok := auth.ReadJoinCode(text); ok != want {
			t.Errorf("in %d bytes: %v, want %v", length, ok, want)
		}
	}
}
