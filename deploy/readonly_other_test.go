//go:build !linux

package deploy_test

import "testing"

// readOnly is never called here: a pod needs Linux.
func readOnly(*testing.T, string) { panic("no read-only file system") }
