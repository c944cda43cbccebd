package paths_test

import (
	"testing"

	"example.org/bridge/internal/guard/paths"
)

func TestNeverWritten(t *testing.T) {
	tests := map[string]bool{
		"/ws/.husky/pre-commit": true, "/ws/.githooks": true, "/ws/.kshrc": true, "/ws/.HUSKY": true, "/ws/a/b/.xsession": true,
		"/ws/.git": true, "/ws/.git/hooks/x": true, "/ws/.git/config": true, "/ws/.git/config.lock": true, "/ws/.git/commondir": true,
		"/ws/.git/refs/bridge/x": true, "/ws/.git/packed-refs": true, "/ws/.git/HEAD": true, "/ws/.git/Hooks": true, "/ws/a/.git/modules/x": true,
		"/ws/.git/index.lock": false, "/ws/.git/MERGE_MSG": false, "/ws/git/hooks": false, "/ws/hooks": false, "/ws/.gitignore": false,
		"/ws/.github/workflows/ci.yml": false, "/ws/.env": false, "/ws/husky": false, "/ws/.git/x/.vscode": true,
	}
	for name, want := range tests {
		if got := paths.NeverWritten(name); got != want {
			t.Errorf("NeverWritten(%q) = %v", name, got)
		}
	}
}

// TestProtectedTable checks that every row has a reason and that no name is in
// the table twice.
func TestProtectedTable(t *testing.T) {
	for _, rows := range [][]paths.Protected{paths.ProtectedNames(), paths.ProtectedInGit()} {
		seen := map[string]bool{}
		for _, p := range rows {
			if p.Why == "" || seen[paths.Fold(p.Name)] {
				t.Errorf("%s: a reason is missing, or the name stands twice", p.Name)
			}
			seen[paths.Fold(p.Name)] = true
		}
	}
}
