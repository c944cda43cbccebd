package claims_test

import (
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/claims"
)

func TestOverlap(t *testing.T) {
	for _, tt := range []struct {
		p, q string
		want bool
	}{
		{"a.go", "a.go", true},
		{"a.go", "b.go", false},
		{"README.md", "readme.md", true}, // the same file on macOS and Windows
		{"src", "src/a.go", true},        // a folder
		{"src/a", "src/ab", false},
		{"src", "src/*/x.go", true},
		{"src", "docs/**", false},
		{"src/**", "src", true},
		{"src/**", "src/a/b/c.go", true},
		{"src/**", "docs/src/a.go", false},
		{"src/*", "src/a/b.go", false},
		{"src/*.go", "src/a.go", true},
		{"src/*.go", "src/a.ts", false},
		{"**/*.go", "a.go", true},
		{"**/*.go", "a/b/c.go", true},
		{"**/*.go", "README.md", false},
		{"**/*.go", "**/*_test.go", true},
		{"**/*.go", "**/*.ts", false},
		{"src/**/x", "src/*/*/x", true},
		{"src/**/x", "src/*/y", false},
		{"a*c", "*b*", true},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"a?", "?b", true},
		{"ab*", "ac*", false},
		{"*", "a/b", false},
		{"**", "a/b", true},
		{"app/[id]/page.tsx", "app/[id]/page.tsx", true}, // brackets are literal
		{"app/[id]/page.tsx", "app/i/page.tsx", false},
		{"{a,b}", "a", false},
	} {
		if got, back := claims.Overlap(tt.p, tt.q), claims.Overlap(tt.q, tt.p); got != tt.want || back != tt.want {
			t.Errorf("%s and %s: got %v and %v, want %v", tt.p, tt.q, got, back, tt.want)
		}
	}
}

// FuzzOverlap checks that a pattern overlaps with itself, that the order of two
// patterns does not matter, and that "**" overlaps with everything.
func FuzzOverlap(f *testing.F) {
	f.Add("src/**", "src/a.go")
	f.Add("a*b?c/**/d", "a/*")
	f.Add(strings.Repeat("*a", 50), strings.Repeat("a*", 50))
	f.Fuzz(func(t *testing.T, p, q string) {
		if len(p) > 200 || len(q) > 200 {
			return
		}
		if !claims.Overlap(p, p) {
			t.Errorf("%q does not overlap with itself", p)
		}
		if claims.Overlap(p, q) != claims.Overlap(q, p) {
			t.Errorf("%q and %q: the order matters", p, q)
		}
		if !claims.Overlap(p, "**") {
			t.Errorf("%q does not overlap with everything", p)
		}
	})
}

func TestHeld(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		claim claims.Claim
		want  bool
	}{
		{"just taken", claims.Claim{TakenAt: noon}, true},
		{"run out", claims.Claim{TakenAt: noon.Add(-time.Minute)}, false},
		{"kept by a sign of life", claims.Claim{TakenAt: noon.Add(-time.Hour), SeenAt: noon.Add(-time.Second)}, true},
		{"silent", claims.Claim{TakenAt: noon.Add(-time.Hour), SeenAt: noon.Add(-time.Minute)}, false},
		{"its task has ended", claims.Claim{TakenAt: noon, Task: 7}, false},
		{"its task is open", claims.Claim{TakenAt: noon, Task: 7, HasTask: true}, true},
		{"its conversation has expired", claims.Claim{TakenAt: noon, ExpiresAt: noon}, false},
		{"a little ahead", claims.Claim{TakenAt: noon.Add(time.Second)}, true},
		{"from before the clock was set back", claims.Claim{TakenAt: noon.Add(time.Hour)}, false},
	} {
		tt.claim.Lease = time.Minute
		if tt.claim.ExpiresAt.IsZero() {
			tt.claim.ExpiresAt = noon.Add(24 * time.Hour)
		}
		if got := tt.claim.Held(noon); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
