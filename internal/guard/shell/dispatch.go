package shell

import (
	"example.org/bridge/internal/guard/verdict"
)

// judge applies the rules of single programs, by base name. It is a switch and
// not a table because the rules call the walker again.
func (w *walker) judge(inv invocation, s *state) error {
	switch inv.name {
	case "rm", "rimraf", "Remove-Item", "remove-item", "ri", "erase", "trash", "del", "srm", "rmdir", "unlink", "shred":
		return w.remove(inv, s)
	case "chmod", "chown", "chgrp", "setfacl", "chcon":
		return w.changeRights(inv, s)
	case "mv", "cp", "install", "ln", "rsync", "scp", "link", "symlink":
		return w.copyOrMove(inv, s)
	case "tee", "touch", "mkdir", "truncate", "mknod", "mkfifo", "fallocate", "split", "csplit", "patch":
		return w.writeAll(inv, s)
	case "dd":
		return w.dd(inv, s)
	case "find", "fd", "fdfind":
		return w.find(inv, s)
	case "git":
		return w.git(inv, s)
	case "docker", "podman", "nerdctl", "finch", "img", "whalebrew", "lima", "docker-compose", "podman-compose", "kubectl", "oc", "ctr", "crictl", "buildah", "lxc", "incus", "singularity", "apptainer", "udocker", "minikube", "multipass":
		return w.container(inv, s)
	case "cmake":
		if err := w.cmake(inv, s); err != nil {
			return err
		}
	case "kill", "pkill", "killall", "skill", "snice":
		return w.kill(inv)
	case "pgrep", "pidof":
		return w.findsGuard(inv)
	case "cd", "pushd", "popd":
		return w.changeFolder(inv, s)
	case "source", ".":
		return w.source(inv)
	case "trap", "alias":
		return w.laterCode(inv, s)
	case "history", "fc", "set", "unset", "hash", "enable", "shopt", "export", "declare", "typeset", "local", "readonly":
		return w.shellSetting(inv, s)
	case "nc", "ncat", "netcat", "socat", "telnet", "ssh", "openssl":
		return w.network(inv, s)
	case "tmux", "screen", "zellij", "byobu":
		return w.terminal(inv, s)
	case "tar", "bsdtar", "zip", "unzip", "7z", "cpio", "rsnapshot", "curl", "wget", "aria2c":
		return w.archive(inv, s)
	case "grep", "egrep", "fgrep", "rg", "ag", "ack", "ugrep":
		return w.search(inv, s)
	}
	if has("sort split man svn borg restic rclone mosh", inv.name) {
		if err := w.remoteShell(inv, s); err != nil {
			return err
		}
	}
	if why := w.machine(inv); why != "" {
		return verdict.Refuse(verdict.MachineTool, "this use of %s is refused, because %s", inv.name, why)
	}
	if err := w.removesFolder(inv, s); err != nil {
		return err
	}
	if err := w.outputs(inv, s); err != nil {
		return err
	}
	if err := w.editsInPlace(inv, s); err != nil {
		return err
	}
	return w.checkInterpreter(inv, s)
}
