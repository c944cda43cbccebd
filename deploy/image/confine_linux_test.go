package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// confine lets a command see only root, as the image's user and without a network.
func confine(cmd *exec.Cmd, root string) error {
	if os.Getuid() != 0 {
		return errors.New("only root can change the root folder")
	}
	cmd.Path, cmd.Err, cmd.Dir = "/bridge", nil, "/state"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user}, Cloneflags: syscall.CLONE_NEWNET,
	}
	return nil
}
