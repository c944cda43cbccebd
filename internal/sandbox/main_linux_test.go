package sandbox_test

import (
	"os"
	"syscall"
	"testing"

	"example.org/bridge/internal/sandbox"
)

// TestMain lets the test program act as the helper, and as the programs that
// attack the sandbox from inside.
func TestMain(m *testing.M) {
	if code, ok := sandbox.Helper(os.Args); ok {
		// Not os.Exit: with the race detector it sleeps for a second.
		syscall.Exit(code)
	}
	if code, ok := attack(os.Args); ok {
		syscall.Exit(code)
	}
	os.Exit(m.Run())
}
