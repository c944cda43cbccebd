package sandbox

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// heldSuffix is appended to the name of a planted file.
const heldSuffix = ".held-by-bridge"

// maxHeldNames limits the search for an unused name.
const maxHeldNames = 1000

// putAside surveys the workspace after the run, when no process of the command is
// left, and renames new entries with a protected name, such as an embedded
// repository or an editor's tasks in a subfolder. It returns one sentence for
// each entry that it renamed. The error covers entries that could not be renamed
// or read.
func (s *shield) putAside() ([]string, error) {
	after, err := surveyAfter(s.workspace, &s.before)
	errs := []error{err}
	known := make(map[place]bool)
	for _, p := range append(s.before.protected, s.before.heads...) {
		known[p] = true
	}
	for _, m := range s.made {
		if rel, err := filepath.Rel(s.workspace, m.path); err == nil {
			known[placeOf(s.workspace, rel)] = true
		}
	}
	var said []string
	for _, p := range append(after.protected, after.heads...) {
		if known[p] {
			continue
		}
		to, err := setAside(s.workspace, p.path)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s is new and could not be renamed: %w", p.path, err))
			continue
		}
		said = append(said, fmt.Sprintf("%s is new (%s) and was renamed to %s", p.path, plantedWhy(p.path), to))
	}
	return said, errors.Join(errs...)
}

func plantedWhy(path string) string {
	if why := protectedBy(filepath.Base(path)); why != "" {
		return why
	}
	return "it makes its folder a git repository"
}

// setAside renames an entry within its folder. The folder is opened below the
// workspace without following a link, because the owner of the workspace may be
// another user than this process.
func setAside(top, path string) (string, error) {
	root, err := unix.Open(top, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = unix.Close(root) }()
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS}
	dir, err := unix.Openat2(root, filepath.Dir(path), &how)
	if err != nil {
		return "", err
	}
	defer func() { _ = unix.Close(dir) }()
	name := filepath.Base(path)
	if err := unix.Faccessat(dir, ".", unix.W_OK, unix.AT_EACCESS); err != nil {
		_ = ownRights(dir, ".") // the command may have removed write access; if this fails, the rename reports it
	}
	for i := range maxHeldNames {
		to := name + heldSuffix
		if i > 0 {
			to = fmt.Sprintf("%s%s-%d", name, heldSuffix, i)
		}
		err := unix.Renameat2(dir, name, dir, to, unix.RENAME_NOREPLACE)
		if errors.Is(err, unix.EINVAL) { // the file system does not support the flag
			err = renameIfFree(dir, name, to)
		}
		if err == nil {
			return to, nil
		}
		if !errors.Is(err, unix.EEXIST) {
			return "", err
		}
	}
	return "", unix.EEXIST
}

func renameIfFree(dir int, from, to string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, to, &st, unix.AT_SYMLINK_NOFOLLOW); err == nil {
		return unix.EEXIST
	}
	return unix.Renameat(dir, from, dir, to)
}
