//go:build unix

package deploy_test

import (
	"os/exec"
	"syscall"
)

// runAs starts a command as another user, with only the group of the same number.
func runAs(cmd *exec.Cmd, user int) {
	id := uint32(user)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}}
}
