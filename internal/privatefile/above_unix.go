//go:build unix

package privatefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// unmapped is the user that a user namespace shows for all that it does not know,
// root outside among them (user_namespaces(7)).
const unmapped = 65534

// CheckAbove reports, as ErrOpenToOthers with the command that fixes it, a folder
// above path that lets other users put something else in the place of what is
// below it: sshd's StrictModes looks at the same. It looks up to the user's home
// folder where path is in it, and up to the root otherwise. A folder for everybody
// that has the sticky bit, such as /tmp, lets nobody touch what is another's.
func CheckAbove(path string) error {
	resolved, err := existing(filepath.Dir(path))
	if err != nil {
		return err
	}
	home, _ := os.UserHomeDir()
	if target, err := filepath.EvalSymlinks(home); err == nil {
		home = target
	}
	for dir := resolved; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if err := checkAbove(dir, info); err != nil {
			return err
		}
		if dir == filepath.Dir(dir) || dir == home {
			return nil
		}
	}
}

// existing returns the folder, or the nearest one above it that is there, without
// links.
func existing(dir string) (string, error) {
	for {
		resolved, err := filepath.EvalSymlinks(dir)
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return resolved, err
		}
		dir = filepath.Dir(dir)
	}
}

func checkAbove(dir string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if !trusted(stat) {
		return fmt.Errorf("%w: the folder %s belongs to user %d, who could replace what is in it: use a folder of your own", ErrOpenToOthers, dir, stat.Uid)
	}
	sticky := info.Mode()&os.ModeSticky != 0
	if info.Mode().Perm()&writable(stat) != 0 && !sticky {
		return fmt.Errorf("%w: others can change the folder %s (mode %04o); run: chmod go-w %s", ErrOpenToOthers, dir, info.Mode().Perm(), quote(dir))
	}
	return nil
}

// CheckTrusted reports, as ErrOpenToOthers, a file that somebody else than the
// user or root could change.
func CheckTrusted(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if !trusted(stat) {
		return fmt.Errorf("%w: %s belongs to user %d, and this is user %d: make it your own, or name another file", ErrOpenToOthers, path, stat.Uid, os.Geteuid())
	}
	if info.Mode().Perm()&writable(stat) != 0 {
		return fmt.Errorf("%w: others can change %s (mode %04o); run: chmod go-w %s", ErrOpenToOthers, path, info.Mode().Perm(), quote(path))
	}
	return nil
}

// trusted reports an owner who may do what the user may: the user and root.
func trusted(stat *syscall.Stat_t) bool {
	return stat.Uid == 0 || int(stat.Uid) == os.Geteuid() || stat.Uid == unmapped && mapped()
}

// mapped reports a user namespace that does not know every user.
func mapped() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	const all = "4294967295"
	return err == nil && !strings.Contains(string(text), all)
}

// writable are the permissions to write that somebody else has. A group of the
// user's own number is theirs alone, as systems make it that give each user one.
func writable(stat *syscall.Stat_t) fs.FileMode {
	if int(stat.Gid) == os.Getegid() && os.Getegid() == os.Geteuid() && stat.Gid != 0 {
		return 0o002
	}
	return Unchangeable
}

func quote(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }
