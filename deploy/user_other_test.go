//go:build !unix

package deploy_test

import "os/exec"

// runAs is never called on this platform, because these tests need root.
func runAs(*exec.Cmd, int) { panic("no other user") }
