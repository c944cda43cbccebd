package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// CheckTools returns why folders of tools cannot be shown to commands of a
// workspace. hidden are the paths that no command may see
// ([Options.HiddenPaths]).
func CheckTools(tools []string, workspace string, hidden []string) error {
	reals := make([]string, 0, len(hidden))
	for _, h := range hidden {
		reals = append(reals, realPath(h))
	}
	return checkTools(tools, workspace, reals)
}

// checkTools is CheckTools for real paths. A folder that contains more than
// programs would show a command files that the sandbox must hide.
func checkTools(tools []string, workspace string, hidden []string) error {
	forbidden := append(append(systemRoots[:len(systemRoots):len(systemRoots)], kernelRoots...), hidden...)
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		forbidden = append(forbidden, realPath(home))
	}
	for _, dir := range tools {
		info, err := os.Stat(dir)
		switch {
		case err != nil || !info.IsDir():
			return fmt.Errorf("the tool folder %s no longer exists; open the grant again", dir)
		case realPath(dir) != dir:
			return fmt.Errorf("the tool folder %s is now a link; open the grant again", dir)
		case within(dir, workspace):
			return fmt.Errorf("the tool folder %s contains the workspace; name a folder that has only programs", dir)
		case info.Mode().Perm()&0o022 != 0:
			return fmt.Errorf("other users can write to the tool folder %s; remove that permission with chmod go-w", dir)
		}
		holds := func(path string) bool { return within(dir, path) }
		if i := slices.IndexFunc(forbidden, holds); i >= 0 {
			return fmt.Errorf("the tool folder %s is or contains %s; name a folder that has only programs", dir, forbidden[i])
		}
		for _, path := range slices.Concat(hidden, kernelRoots) {
			if within(path, dir) {
				return fmt.Errorf("the tool folder %s is in %s; name another", dir, path)
			}
		}
		if part := protectedComponent(dir); part != "" && !within(workspace, dir) {
			return fmt.Errorf("the tool folder %s is in %s (%s); name another", dir, part, protectedBy(part))
		}
	}
	return nil
}
