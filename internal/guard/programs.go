package guard

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"example.org/bridge/internal/guard/paths"
)

// trustedFolders are searched for programs, in this order. The server's own PATH
// is not searched: it may lead into the workspace.
var trustedFolders = []string{"/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"}

// ToolPrograms returns a LookPath that searches the operator's tool folders
// before the system's. git, and the programs for which isSafe reports true (those
// of safe mode), are taken from the system only, because the tables describe the
// options of the system's programs.
func ToolPrograms(fsys paths.FS, tools []string, isSafe func(name string) bool) func(name string) (string, error) {
	system, all := SystemPrograms(fsys, nil), SystemPrograms(fsys, tools)
	return func(name string) (string, error) {
		if name == "git" || isSafe(name) {
			return system(name)
		}
		return all(name)
	}
}

// SystemPrograms returns a LookPath that searches extra (the operator's tool
// folders, absolute) and then the system's folders. A program is refused if its
// group or others may write to it or to its folder, since they could replace it.
// A nil fsys means the machine's file system.
func SystemPrograms(fsys paths.FS, extra []string) func(name string) (string, error) {
	if fsys == nil {
		fsys = paths.Machine{}
	}
	folders := append(append([]string(nil), extra...), trustedFolders...)
	return func(name string) (string, error) {
		if name == "" || path.Base(name) != name {
			return "", errors.New("the program must be named without a path")
		}
		for _, dir := range folders {
			found := path.Join(dir, name)
			if !paths.IsAbs(dir) {
				continue
			}
			if _, err := fsys.Lstat(found); err != nil {
				continue
			}
			return found, checkProgram(fsys, found)
		}
		return "", errors.New("it is not installed in the system's program folders")
	}
}

// checkProgram checks the permissions of a program and of its folder.
func checkProgram(fsys paths.FS, name string) error {
	actual, err := paths.Resolve(fsys, name)
	if err != nil {
		return fmt.Errorf("its path cannot be resolved: %w", err)
	}
	for _, part := range []string{actual, path.Dir(actual), path.Dir(name)} {
		if part, err = paths.Resolve(fsys, part); err != nil {
			return fmt.Errorf("its path cannot be resolved: %w", err)
		}
		info, err := fsys.Lstat(part)
		if err != nil {
			return fmt.Errorf("its path cannot be read: %w", err)
		}
		const othersMayWrite fs.FileMode = 0o022
		if info.Mode().Perm()&othersMayWrite != 0 && info.Mode()&fs.ModeSticky == 0 {
			return errors.New("other users can write to the program or its folder: remove that permission with chmod go-w")
		}
	}
	return nil
}
