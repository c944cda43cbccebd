package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// systemRoots may be neither a workspace nor lie in one.
var systemRoots = []string{"/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/var", "/tmp", "/run", "/home"}

// kernelRoots may not contain a workspace either.
var kernelRoots = []string{"/proc", "/sys", "/dev"}

// CheckWorkspace returns, as an [ErrWorkspace], why a command may not run in a
// folder. hidden are the paths that no command may see ([Options.HiddenPaths]).
func CheckWorkspace(workspace string, hidden []string) error {
	_, _, err := resolveWorkspace(workspace, hidden)
	return err
}

// resolveWorkspace returns the real path of the workspace, and the real paths of
// the hidden ones. It refuses a workspace that is or contains a system folder,
// the user's home folder or a hidden path, or that lies within a hidden path.
func resolveWorkspace(workspace string, hidden []string) (string, []string, error) {
	if !filepath.IsAbs(workspace) {
		return "", nil, refuseWorkspace("%q is not an absolute path", workspace)
	}
	target, err := filepath.EvalSymlinks(workspace)
	if err != nil {
		return "", nil, refuseWorkspace("%w", err)
	}
	if err := checkPlace(workspace, target); err != nil {
		return "", nil, err
	}
	reals := make([]string, 0, len(hidden))
	for _, h := range hidden {
		if !filepath.IsAbs(h) {
			return "", nil, refuseWorkspace("the hidden path %q is not absolute", h)
		}
		h = realPath(h)
		if within(target, h) || within(h, target) {
			return "", nil, refuseWorkspace("%q and %s, which is the bridge's own, must not contain one another; choose a project's folder", workspace, h)
		}
		reals = append(reals, h)
	}
	return target, reals, nil
}

func refuseWorkspace(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrWorkspace}, args...)...)
}

// checkPlace refuses a workspace because of its real location or its contents.
func checkPlace(workspace, target string) error {
	if info, err := os.Stat(target); err != nil || !info.IsDir() {
		return refuseWorkspace("%q is not a folder", workspace)
	}
	for _, root := range kernelRoots {
		if within(root, target) || within(target, root) {
			return refuseWorkspace("%q is in or above %s", workspace, root)
		}
	}
	for _, root := range systemRoots {
		if within(target, root) {
			return refuseWorkspace("%q is or contains %s", workspace, root)
		}
	}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) && within(target, realPath(home)) {
		return refuseWorkspace("%q is or contains the home folder; choose a project's folder", workspace)
	}
	if part := protectedComponent(target); part != "" {
		return refuseWorkspace("%q is or lies in %s (%s), which no command may write; choose the project's folder", workspace, part, protectedBy(part))
	}
	if isBareRepository(target) {
		return refuseWorkspace("%q is a bare git repository; choose a working tree", workspace)
	}
	if exe, err := os.Executable(); err == nil && within(target, realPath(exe)) {
		return refuseWorkspace("%q contains the bridge's own program (%s); choose another folder, or install the program elsewhere", workspace, exe)
	}
	return nil
}

// isBareRepository reports whether git would treat dir itself as a repository.
func isBareRepository(dir string) bool {
	has := func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	}
	return !has(".git") && has(bareHead) && (has("objects") && has("refs") || has("commondir"))
}

// within reports whether path is root or lies below it, by components. Both
// must be clean.
func within(root, path string) bool {
	if root == "/" || root == path {
		return true
	}
	return strings.HasPrefix(path, root+"/")
}

// realPath resolves the symbolic links of the part of path that exists.
func realPath(path string) string {
	path = filepath.Clean(path)
	rest := ""
	for p := path; ; p = filepath.Dir(p) {
		if target, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Join(target, rest)
		}
		if p == filepath.Dir(p) {
			return path
		}
		rest = filepath.Join(filepath.Base(p), rest)
	}
}
