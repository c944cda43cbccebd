package storefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/privatefile"
)

// Prepare creates the folder of the store at path, with mode 0700 whatever the umask.
// An existing folder is left as it is.
func Prepare(path string) error {
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return Unwritable(err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // parent folders, such as ~/.local/state, may be shared
		return Unwritable(err)
	}
	switch err := os.Mkdir(dir, 0o700); {
	case errors.Is(err, fs.ErrExist):
		return nil // another process was first
	case err != nil:
		return Unwritable(err)
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // a folder needs x, which the umask may have removed
}

// CheckFiles refuses a store that other users could read or change, and one on a
// network filesystem, where locks do not hold between machines.
func CheckFiles(path string, create bool) error {
	if err := CheckPrivate(filepath.Dir(path)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s", bridge.ErrStoreMissing, path)
		}
		return Unwritable(err)
	}
	if name := NetworkFilesystem(filepath.Dir(path)); name != "" {
		return fmt.Errorf("%s is on a network filesystem (%s), where SQLite's locks do not hold: choose a local folder with --db", path, name)
	}
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		if err := CheckPrivate(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Unwritable(err)
		}
	}
	switch info, err := os.Stat(path); {
	case err == nil && info.Size() == 0 && info.Mode().IsRegular():
		return fmt.Errorf("%w: %s", bridge.ErrStoreEmpty, path)
	case err == nil:
		return reopenLog(path, info)
	case !errors.Is(err, fs.ErrNotExist):
		return Unwritable(err)
	case !create:
		return fmt.Errorf("%w: %s", bridge.ErrStoreMissing, path)
	}
	return nil
}

// reopenLog makes the log and its index writable for the owner again. SQLite gives them
// the mode of the database, so inspecting a store that was read-only for a while leaves
// files that would keep it read-only. The files are not opened here, since closing them
// would drop SQLite's locks.
func reopenLog(path string, database fs.FileInfo) error {
	const owner = 0o600
	if database.Mode().Perm()&owner != owner {
		return nil
	}
	for _, file := range []string{path + "-wal", path + "-shm"} {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm()&owner == owner {
			continue
		}
		if err := os.Chmod(file, owner); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Unwritable(err)
		}
	}
	return nil
}

// MaxPath is the maximum length of a store's path in bytes: what SQLite accepts, less
// the longest suffix of the files beside it.
const MaxPath = 512 - len("-journal")

// CheckAbove reports, as ErrStorePermissions, a folder above the store's in which other
// users could replace something.
func CheckAbove(path string) error { return checkWay(filepath.Dir(path)) }

// CheckLink reports, as ErrStorePermissions, a store file that is a symbolic link which
// other users could redirect. They can if the link is theirs, or if they can change its
// folder, a folder above it, or a folder above its target.
func CheckLink(path string) error { return checkWay(path) }

func checkWay(path string) error {
	err := privatefile.CheckAbove(path)
	var hidden *fs.PathError
	switch {
	case errors.Is(err, privatefile.ErrOpenToOthers):
		return fmt.Errorf("%w: %w", bridge.ErrStorePermissions, err)
	case errors.Is(err, fs.ErrPermission) && errors.As(err, &hidden):
		return LockedFolder(filepath.Dir(hidden.Path))
	}
	return err
}

// LockedFolder returns the error for a folder on the way to a store that belongs to
// another user and cannot be entered.
func LockedFolder(dir string) error {
	return fmt.Errorf("%w: this user has no access to the folder %s: run bridge as the owner of the folder, set HOME to your own, or name another store with --db",
		bridge.ErrStorePermissions, dir)
}

// Unwritable maps an error of the filesystem to the domain's error for it; other errors
// are returned unchanged.
func Unwritable(err error) error {
	if err == nil {
		return nil
	}
	if isNamed(err) {
		return err
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: %w", bridge.ErrStoreReadOnly, err)
	}
	if name := systemError(err); name != nil {
		return fmt.Errorf("%w: %w", name, err)
	}
	return err
}

// isNamed reports whether err is already one of the domain's errors.
func isNamed(err error) bool {
	return errors.Is(err, bridge.ErrStoreReadOnly) || errors.Is(err, bridge.ErrStorePermissions) || errors.Is(err, bridge.ErrStoreGone)
}
