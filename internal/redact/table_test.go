package redact_test

import "testing"

// TestRedactCellsLikeNames checks that a cell which looks like a name with a
// value is hidden, and that the cells after it are not.
func TestRedactCellsLikeNames(t *testing.T) {
	for seed := range uint64(50) {
		g := seeded(seed)
		for _, name := range []string{"pw", "pwW4", "PASS", "key", "token"} {
			for _, sign := range []string{":", "=", ":="} {
				cell := name + sign + g.alnum(6) + "(" + g.chars(decimals, 2) + "!" + g.chars(uppers, 2)
				in := "id,password,created\n7," + cell + ",2026-06-17\n"
				if got, want := redactString(in), "id,password,created\n7,PASSWORD_REDACTED,2026-06-17\n"; got != want {
					t.Errorf("seed %d: Redact(%q) = %q, want %q", seed, in, got, want)
				}
				in = "| user | password | role |\n|---|---|---|\n| bob | " + cell + " | admin |\n"
				if got, want := redactString(in), "| user | password | role |\n|---|---|---|\n| bob | PASSWORD_REDACTED | admin |\n"; got != want {
					t.Errorf("seed %d: Redact(%q) = %q, want %q", seed, in, got, want)
				}
			}
		}
	}
}
