package redact_test

import (
	"strings"
	"testing"

	"example.org/bridge/internal/redact"
)

// wrap breaks s into lines of width characters, as a terminal does.
func wrap(s string, width int, indent string) string {
	var lines []string
	for len(s) > width {
		lines = append(lines, s[:width])
		s = s[width:]
	}
	return strings.Join(append(lines, s), "\n"+indent)
}

// longTokens are longer than a line.
func (g generator) longTokens() map[string]string {
	return map[string]string{
		"anthropic": "s" + "k-ant-api03-" + g.base64url(69) + "-" + g.alnum(6) + "AA",
		"openai":    "s" + "k-proj-" + g.base64url(111),
		"gitlab":    "glp" + "at-" + g.alnum(51) + ".01." + g.chars(lowers+decimals, 9),
		"jwt":       g.jwt() + g.base64url(30),
		"github":    "github" + "_pat_" + g.alnum(22) + "_" + g.alnum(59),
	}
}

// TestRedactWrappedTokens checks that all lines of a token are hidden, and none
// after it.
func TestRedactWrappedTokens(t *testing.T) {
	var e redact.Engine
	bad, total := 0, 0
	for seed := range uint64(40) {
		g := seeded(seed)
		tokens := g.longTokens()
		for _, name := range sortedKeys(tokens) {
			token := tokens[name]
			for _, before := range []string{"", "the key is ", "export API_TOKEN=", "Authorization: Bearer ", "token: "} {
				for _, width := range []int{64, 72, 80} {
					for _, indent := range []string{"", "    ", "> "} {
						text := wrap(before+token, width, indent) + "\nPORT=8080\nThanks a lot, see 9a50f8a8.\n"
						out, _ := e.Redact(text)
						total++
						if !strings.HasPrefix(out, before) || !strings.HasSuffix(out, "_REDACTED\nPORT=8080\nThanks a lot, see 9a50f8a8.\n") {
							if left := len(out) - len(before) - len("_REDACTED\nPORT=8080\nThanks a lot, see 9a50f8a8.\n"); left < 30 && strings.HasSuffix(out, "\nPORT=8080\nThanks a lot, see 9a50f8a8.\n") && left-len("BEARER_TOKEN") <= minWrapTail+len(indent) {
								continue // a few characters alone on the last line
							}
							if bad++; bad <= 3 {
								t.Logf("seed %d, %s, width %d, %q:\n%s\nbecame\n%s", seed, name, width, before, text, out)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d of %d wrapped tokens left in part", bad, total)
	if bad*100 > total {
		t.Error("more than 1 of 100 wrapped tokens is left in part")
	}
}

// minWrapTail is the minimum length of a last line that is recognised.
const minWrapTail = 6

// TestRedactLeavesLinesAfterTokens checks that separate text below a token stays
// unchanged.
func TestRedactLeavesLinesAfterTokens(t *testing.T) {
	g := newGenerator()
	token := "s" + "k-ant-api03-" + g.base64url(69) + "AA"
	var e redact.Engine
	for _, below := range []string{"done", "9a50f8a8c1e5b7d2046c8e1f3a59d0b72643f8a9", g.uuid(), "NEXT_VALUE=12", "internal/auth/token.go", "web-7d4b9c6f5d-x2x9z", "TestTokenRefresh", "https://example.org/a1B2c3D4", "Request1 ok"} {
		text := "ANTHROPIC_API_KEY=" + token + "\n" + below + "\n"
		if out, _ := e.Redact(text); !strings.HasSuffix(out, "_REDACTED\n"+below+"\n") {
			t.Errorf("Redact(%q) = %q", text, out)
		}
	}
}

// TestRedactWrappedValues checks that all lines of a random value which has no
// format but a name are hidden, and no line after it.
func TestRedactWrappedValues(t *testing.T) {
	bad, total := 0, 0
	for seed := range uint64(40) {
		g := seeded(seed)
		for _, before := range []string{"export API_TOKEN=", "client_secret: ", "Authorization: Bearer ", "SECRET_KEY="} {
			for _, value := range []string{g.alnum(110 + g.IntN(40)), g.base64s(96 + g.IntN(40)), g.base64url(120), g.alnum(200)} {
				for _, width := range []int{64, 72, 76, 80} {
					for _, after := range []string{"PORT=8080\n", "Thanks a lot, see 9a50f8a8.\n", "9a50f8a8c1e5b7d2046c8e1f3a59d0b72643f8a9\n", "done\n"} {
						text := wrap(before+value, width, "") + "\n" + after
						out := redactString(text)
						total++
						if !strings.HasPrefix(out, before) || !strings.HasSuffix(out, "_REDACTED\n"+after) {
							if tail := (len(before) + len(value)) % width; tail < minWrapTail+4 && strings.HasSuffix(out, "\n"+after) {
								continue // a few characters alone on the last line
							}
							if bad++; bad <= 5 {
								t.Logf("seed %d, width %d:\n%s\nbecame\n%s", seed, width, text, out)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d of %d wrapped values left in part", bad, total)
	if bad*100 > total {
		t.Error("more than 1 of 100 wrapped values is left in part")
	}
}

// TestRedactLeavesLinesAfterValues checks that separate text below a long value
// stays unchanged.
func TestRedactLeavesLinesAfterValues(t *testing.T) {
	g := newGenerator()
	for _, below := range []string{"done", g.hex(40), g.uuid(), "NEXT_VALUE=12", "internal/auth/token.go", "web-7d4b9c6f5d-x2x9z", "TestTokenRefresh", "Request1 ok", "README2", "OTHER_NAME", "sha256sum", "- item", "v1.2.3-rc4", "release2026Candidate"} {
		text := "SECRET_KEY=" + g.alnum(64) + "\n" + below + "\n"
		if out := redactString(text); out != "SECRET_KEY=SECRET_REDACTED\n"+below+"\n" {
			t.Errorf("Redact(%q) = %q", text, out)
		}
	}
}
