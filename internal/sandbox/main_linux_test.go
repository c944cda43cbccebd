package sandbox_test

import (
	"os"
	"testing"

	"example.org/bridge/internal/sandbox"
)

// TestMain lets the test program be the helper, and the programs that attack
// the sandbox from inside.
func TestMain(m *testing.M) {
	if code, ok := sandbox.Helper(os.Args); ok {
		os.Exit(code)
	}
	if code, ok := attack(os.Args); ok {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
