package cleantext_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/cleantext"
)

func TestCharacters(t *testing.T) {
	for text, want := range map[string]int{
		"":                           0,
		"QA":                         2,
		"前端":                         2,
		" DB\t":                      2,
		"a b":                        3,
		"e\u0301":                    1, // a combining accent
		"\u1112\u1161\u11ab":         1, // a decomposed Hangul syllable
		"\U0001F469\u200d\U0001F4BB": 1, // a woman at a computer
		"\U0001F44D\U0001F3FD":       1, // a thumb with a skin tone
		"\U0001F1E9\U0001F1EA\U0001F1EB\U0001F1F7": 2, // two flags
		"1\ufe0f\u20e3":      1, // a key
		"\u200d\u200b\u202e": 0,
		"\u200dx":            1,
	} {
		if got := cleantext.Characters(text); got != want {
			t.Errorf("%+q has %d characters, want %d", text, got, want)
		}
	}
}

func TestShortName(t *testing.T) {
	family := "\U0001F469\u200d\U0001F469\u200d\U0001F467"
	for name, want := range map[string]string{
		"QA":                                "QA",
		"two  words\nmore":                  "two words more",
		strings.Repeat("前", 40):             strings.Repeat("前", 40),
		strings.Repeat("前", 41):             strings.Repeat("前", 40) + "…",
		strings.Repeat("e\u0301", 100):      strings.Repeat("e\u0301", 40) + "…",
		"x" + strings.Repeat("\u0301", 200): "x" + strings.Repeat("\u0301", 79) + "…",
		strings.Repeat(family, 100):         strings.Repeat(cleantext.CleanLine(family), 40)[:40*4] + "…",
	} {
		if got := cleantext.ShortName(name); got != want {
			t.Errorf("%.60q is cut to %q, want %q", name, got, want)
		}
	}
}

// TestRolesArePeoplesWords checks that a role may have up to 100 visible
// characters of any script.
func TestRolesArePeoplesWords(t *testing.T) {
	s := bridgetest.New(t)
	family := "\U0001F469\u200d\U0001F469\u200d\U0001F467"
	for role, good := range map[string]bool{
		"QA": true, "前端": true, "x": true, strings.Repeat("前", 100): true, strings.Repeat(family, 100): true,
		"": false, " ": false, "\u200b": false, strings.Repeat("前", 101): false, "x" + strings.Repeat("\u0301", 1000): false,
	} {
		if _, err := s.Create(t.Context(), bridge.CreateRequest{MyRole: role, PartnerRole: "DB"}); (err == nil) != good {
			t.Errorf("role %+.40q: %v", role, err)
		}
	}
}
