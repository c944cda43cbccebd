//go:build unix

package deploy_test

import (
	"os/exec"
	"syscall"
)

// runAs starts a command as another user, with the group of the same number only.
func runAs(cmd *exec.Cmd, user int) {
	id := uint32(user)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}}
}
