package auth_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/auth"
)

func TestResumeCode(t *testing.T) {
	code := auth.NewResumeCode()
	if other := auth.NewResumeCode(); other == code {
		t.Errorf("two codes are %s", code)
	}
	for _, written := range []string{code, strings.ToLower(code), " `" + code + "`. ", strings.ReplaceAll(code, "-", "–"), "my resume code is " + code} {
		if read, ok := auth.ReadResumeCode(written); !ok || read != code {
			t.Errorf("%q is read as %q, %t", written, read, ok)
		}
	}
	for _, text := range []string{"", "K7QM-2X9D", "K7QM2X9D4TAB", "K7QM-2X9D-4TAU", auth.NewJoinCode(), code + " " + auth.NewResumeCode(), code + " " + code + " " + code} {
		if read, ok := auth.ReadResumeCode(text); ok {
			t.Errorf("%q is read as %q", text, read)
		}
	}
	if _, ok := auth.ReadJoinCode(code); ok {
		t.Errorf("%s is taken for a join code", code)
	}
}

// TestResumeCodesAreReadBack makes enough codes that each character of the alphabet
// occurs in many of them. Each code must be read back as itself.
func TestResumeCodesAreReadBack(t *testing.T) {
	used := map[rune]bool{}
	for range 1000 {
		code := auth.NewResumeCode()
		if read, ok := auth.ReadResumeCode(code); !ok || read != code {
			t.Fatalf("%q is read as %q, %t", code, read, ok)
		}
		for _, r := range strings.ReplaceAll(code, "-", "") {
			used[r] = true
		}
	}
	if len(used) != 32 { // 12,000 characters: the probability that a given one is missing is below 1 in 10^160
		t.Errorf("the codes are made of %d characters", len(used))
	}
}
