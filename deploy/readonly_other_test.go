//go:build !linux

package deploy_test

import "testing"

// readOnly skips the test, because only Linux supports this.
func readOnly(t *testing.T, _ string) {
	t.Helper()
	t.Skip("MISSING: Linux, where a mount can be made read-only")
}
