//go:build !unix

package fleet

import "os/exec"

// killGroup does nothing: this platform has no process groups. The program
// itself is killed in any case.
func killGroup(*exec.Cmd) {}
