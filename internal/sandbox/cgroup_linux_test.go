package sandbox_test

import (
	"os"
	"path/filepath"
	"testing"

	"example.org/bridge/internal/sandbox"
)

// TestNoCgroup: where the kernel's files are missing, no group is made and
// nothing is left behind.
func TestNoCgroup(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "user", "session"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, self := range []string{"", "0::/\n", "5:memory:/user/session\n", "0::/user/session\n", "0::/elsewhere/session\n"} {
		if sandbox.MakesCgroup(root, self) {
			t.Errorf("with %q a group was made", self)
		}
	}
	if got := names(t, filepath.Join(root, "user")); len(got) != 1 {
		t.Errorf("left behind: %q", got)
	}
}
