package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"example.org/bridge/internal/guard/paths"
)

// Where this program is mounted in a bubblewrap box.
const boxInit = "/run/bridge/init"

// secretFiles are system files that are covered, in case the user could read
// them.
var secretFiles = []string{
	"/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers", "/etc/krb5.keytab",
	"/etc/ssh/ssh_host_*_key", "/etc/ssl/private", "/etc/sudoers.d", "/etc/wireguard", "/etc/NetworkManager/system-connections",
}

// bubblewrapArgs returns bwrap's arguments. filterFD is the child's descriptor of
// the seccomp filter.
func bubblewrapArgs(s spec, filterFD int) []string {
	a := []string{
		"bwrap",
		"--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
		"--die-with-parent", "--as-pid-1", "--new-session", "--cap-drop", "ALL",
		"--seccomp", strconv.Itoa(filterFD),
	}
	if !s.Network {
		a = append(a, "--unshare-net")
	}
	a = append(a, systemMounts()...)
	a = append(a,
		"--proc", "/proc",
		"--dev", "/dev",
	)
	for _, m := range boxTmpfs {
		a = append(a, "--perms", "1777", "--size", strconv.FormatInt(s.Memory/m.part, 10), "--tmpfs", m.path)
	}
	a = append(a, "--remount-ro", "/dev",
		"--dir", "/var", "--symlink", "../tmp", "/var/tmp", "--dir", "/run",
	)
	for _, root := range s.readRoots() {
		a = append(a, "--ro-bind", root, root)
	}
	if s.Network {
		a = append(a, resolverMount()...)
	}
	a = append(a, s.masks()...)
	a = append(a, s.workspaceMounts()...)
	a = append(a, "--ro-bind", s.Exe, boxInit, "--remount-ro", "/", "--chdir", s.Workspace)
	return append(a, "--", boxInit, helperName, roleInit)
}

// workspaceMounts returns the mounts of the workspace and of the shielded paths
// in it.
func (s spec) workspaceMounts() []string {
	mode := "--ro-bind"
	if s.Writable {
		mode = "--bind"
	}
	a := []string{mode, s.Workspace, s.Workspace}
	for _, m := range s.Shield {
		source, mode := m.Path, "--bind"
		if m.ReadOnly {
			mode = "--ro-bind"
		}
		if m.Mask {
			source = "/dev/null" // bubblewrap mounts it so that it cannot be opened
		}
		a = append(a, mode, source, m.Path)
	}
	return a
}

// systemMounts shows /usr and /etc, and /bin and similar paths as they are on the
// host: links into /usr, or folders.
func systemMounts() []string {
	a := []string{"--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc"}
	for _, dir := range []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"} {
		info, err := os.Lstat(dir)
		switch {
		case err != nil:
		case info.Mode()&os.ModeSymlink != 0:
			if target, err := os.Readlink(dir); err == nil {
				a = append(a, "--symlink", target, dir)
			}
		default:
			a = append(a, "--ro-bind", dir, dir)
		}
	}
	return a
}

// readRoots returns the read roots without those that are mounted anyway, parents
// first.
func (s spec) readRoots() []string {
	var roots []string
	for _, r := range slices.Concat(s.ReadRoots, s.Tools) {
		if !within("/usr", r) && !within("/etc", r) && !within(s.Workspace, r) {
			roots = append(roots, r)
		}
	}
	slices.Sort(roots)
	return slices.Compact(roots)
}

// resolverMount shows the file that /etc/resolv.conf points to.
func resolverMount() []string {
	target, err := filepath.EvalSymlinks("/etc/resolv.conf")
	if err != nil || within("/etc", target) || within("/usr", target) {
		return nil
	}
	return []string{"--ro-bind", target, target}
}

// masks covers secret and hidden paths that lie in something visible. Paths that
// do not exist are not covered, because the mount would create them.
func (s spec) masks() []string {
	var a []string
	for _, pattern := range secretFiles {
		paths, _ := filepath.Glob(pattern) // the patterns are constants and cannot be malformed
		for _, p := range paths {
			a = append(a, mask(p)...)
		}
	}
	visible := slices.Concat(paths.SystemRoots(), s.ReadRoots, s.Tools)
	for _, h := range s.Hidden {
		if slices.ContainsFunc(visible, func(root string) bool { return within(root, h) }) {
			a = append(a, mask(h)...)
		}
	}
	return a
}

func mask(path string) []string {
	info, err := os.Lstat(path)
	switch {
	case err != nil || info.Mode()&os.ModeSymlink != 0:
		return nil
	case info.IsDir():
		return []string{"--tmpfs", path, "--remount-ro", path}
	}
	return []string{"--ro-bind", "/dev/null", path}
}
