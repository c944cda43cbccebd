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

// Prepare makes the folder of the store at path, with mode 0700 whatever the
// umask. A folder that is there already stays as it is.
func Prepare(path string) error {
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return Unwritable(err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // parents of ours, such as ~/.local/state, are everybody's
		return Unwritable(err)
	}
	switch err := os.Mkdir(dir, 0o700); {
	case errors.Is(err, fs.ErrExist):
		return nil // another process was quicker
	case err != nil:
		return Unwritable(err)
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // a folder needs x; whatever the umask took away
}

// CheckFiles refuses a store that other users could read or change, and one on
// a filesystem whose locks do not hold between machines.
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

// reopenLog lets the owner write to the log and its index again. SQLite gives
// them the mode of the database, so inspecting one that was read-only for a
// while leaves files that keep it read-only permanently. They are not opened here:
// closing them would drop SQLite's locks.
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

// MaxPath is the longest path of a store, in bytes: what SQLite takes, less the
// ending of the longest name beside it.
const MaxPath = 512 - len("-journal")

// CheckAbove reports, as ErrStorePermissions, a folder above the store's that
// lets others put something else in its place.
func CheckAbove(path string) error { return checkWay(filepath.Dir(path)) }

// CheckLink reports, as ErrStorePermissions, a link that is the store's file which
// others can let lead elsewhere: it is theirs, or they can change the folder that it
// stands in or one above it, or one above what it leads to.
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

// LockedFolder is the error for a folder of somebody else's on the way to a store.
func LockedFolder(dir string) error {
	return fmt.Errorf("%w: this user may not look into %s: run bridge as the owner of the folder, set HOME to your own, or name another store with --db",
		bridge.ErrStorePermissions, dir)
}

// Unwritable gives an error of the filesystem the domain's name for it; others
// stay what they are.
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

// isNamed reports an error that has the domain's name already.
func isNamed(err error) bool {
	return errors.Is(err, bridge.ErrStoreReadOnly) || errors.Is(err, bridge.ErrStorePermissions) || errors.Is(err, bridge.ErrStoreGone)
}
