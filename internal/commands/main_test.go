package commands_test

import (
	"os"
	"testing"

	"example.org/bridge/internal/sandbox"
)

// TestMain lets the test binary serve as the sandbox's helper.
func TestMain(m *testing.M) {
	if code, ok := sandbox.Helper(os.Args); ok {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
