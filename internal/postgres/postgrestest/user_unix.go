//go:build unix

package postgrestest

import (
	"os"
	"os/exec"
	"syscall"
)

const supported = true

// nobody is the user that a server runs as where the tests run as root, which it
// refuses.
const nobody = 65534

// give makes a folder that of the server's user.
func give(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(dir, nobody, nobody)
}

// ordinary starts a command in a process group of its own, and not as root.
func ordinary(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true}
	}
}

// killGroup kills a server with all its processes.
func killGroup(pid int) error {
	_ = syscall.Kill(-pid, syscall.SIGKILL) // the processes that the server moved to groups of their own end with it
	return nil
}
