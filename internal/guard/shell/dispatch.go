package shell

import (
	"example.org/bridge/internal/guard/verdict"
)

// judge applies the rules for the program's base name, or the general rules if
// the program has none of its own.
func (w *walker) judge(inv invocation, s *state) error {
	if rule := programRule(inv.name); rule != nil {
		return rule(w, inv, s)
	}
	if inv.name == "cmake" {
		if err := w.cmake(inv, s); err != nil {
			return err
		}
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

// programRule returns the rule for programs of this name, or nil. It is a switch
// rather than a table because the rules call the walker again.
func programRule(name string) func(*walker, invocation, *state) error {
	switch name {
	case "rm", "rimraf", "Remove-Item", "remove-item", "ri", "erase", "trash", "del", "srm", "rmdir", "unlink", "shred":
		return (*walker).remove
	case "chmod", "chown", "chgrp", "setfacl", "chcon":
		return (*walker).changeRights
	case "mv", "cp", "install", "ln", "rsync", "scp", "link", "symlink":
		return (*walker).copyOrMove
	case "tee", "touch", "mkdir", "truncate", "mknod", "mkfifo", "fallocate", "split", "csplit", "patch":
		return (*walker).writeAll
	case "dd":
		return (*walker).dd
	case "find", "fd", "fdfind":
		return (*walker).find
	case "git":
		return (*walker).git
	case "docker", "podman", "nerdctl", "finch", "img", "whalebrew", "lima", "docker-compose", "podman-compose", "kubectl", "oc", "ctr", "crictl", "buildah", "lxc", "incus", "singularity", "apptainer", "udocker", "minikube", "multipass":
		return (*walker).container
	case "kill", "pkill", "killall", "skill", "snice":
		return (*walker).kill
	case "pgrep", "pidof":
		return (*walker).findsGuard
	case "cd", "pushd", "popd":
		return (*walker).changeFolder
	case "source", ".":
		return (*walker).source
	case "trap", "alias":
		return (*walker).deferredCode
	case "history", "fc", "set", "unset", "hash", "enable", "shopt", "export", "declare", "typeset", "local", "readonly":
		return (*walker).shellSetting
	case "nc", "ncat", "netcat", "socat", "telnet", "ssh", "openssl":
		return (*walker).network
	case "tmux", "screen", "zellij", "byobu":
		return (*walker).terminal
	case "tar", "bsdtar", "zip", "unzip", "7z", "cpio", "rsnapshot", "curl", "wget", "aria2c":
		return (*walker).archive
	case "grep", "egrep", "fgrep", "rg", "ag", "ack", "ugrep":
		return (*walker).search
	}
	return nil
}
