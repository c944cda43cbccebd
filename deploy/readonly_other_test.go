//go:build !linux

package deploy_test

import "testing"

// readOnly skips: only Linux is asked for a file system that cannot be written.
func readOnly(t *testing.T, _ string) {
	t.Helper()
	t.Skip("MISSING: Linux, where a mount can be made read-only")
}
