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

// unmapped is the user that a user namespace shows for all users that it does not
// map, including root outside it (user_namespaces(7)).
const unmapped = 65534

// CheckAbove returns ErrOpenToOthers, with the command that fixes it, if a folder
// above path allows other users to replace what is below it. It makes the same check
// as sshd's StrictModes. It checks the folders up to the user's home folder if path is
// below that, and up to the root otherwise. A world-writable folder with the sticky
// bit, such as /tmp, is accepted, because nobody can change files of others in it.
//
// If path or a folder above it is a symbolic link, whoever can change the link, or a
// folder above its target, can also replace what is below. So the folders above each
// link on the way are checked too, and a link of another user is refused.
func CheckAbove(path string) error {
	home, _ := os.UserHomeDir()
	if target, err := filepath.EvalSymlinks(home); err == nil {
		home = target
	}
	dirs, err := passed(path)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := checkUp(dir, home); err != nil {
			return err
		}
	}
	return nil
}

// checkUp checks a folder whose path contains no links, and those above it.
func checkUp(dir, home string) error {
	for ; ; dir = filepath.Dir(dir) {
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

// mostLinks is the maximum number of links in resolving one path, as on Linux
// (path_resolution(7)).
const mostLinks = 40

// passed resolves path as the system does. It returns the folders, without links in
// their paths, that contain a link on the way, and last the folder that contains
// path. If a part of path does not exist yet, the last one is the deepest existing
// folder.
func passed(path string) (dirs []string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	at, links := "/", 0
	rest := names(path)
	for len(rest) > 0 {
		next := filepath.Join(at, rest[0]) // for ".." it is the folder above
		info, err := os.Lstat(next)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return append(dirs, at), nil
		case err != nil:
			return nil, err
		case info.Mode().Type() != fs.ModeSymlink:
			if rest = rest[1:]; len(rest) > 0 {
				at = next
			}
			continue
		}
		if links++; links > mostLinks {
			return nil, &fs.PathError{Op: "look up", Path: path, Err: syscall.ELOOP}
		}
		target, err := checkLink(next, info)
		if err != nil {
			return nil, err
		}
		dirs, rest = append(dirs, at), append(names(target), rest[1:]...)
		if filepath.IsAbs(target) {
			at = "/"
		}
	}
	return append(dirs, at), nil
}

func names(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}

// checkLink returns the target of a link, and refuses a link whose owner could
// redirect it.
func checkLink(path string, info fs.FileInfo) (target string, err error) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && !trusted(stat) {
		return "", fmt.Errorf("%w: the link %s belongs to user %d, who could redirect it: use the path that it leads to", ErrOpenToOthers, path, stat.Uid)
	}
	return os.Readlink(path)
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

// CheckTrusted returns ErrOpenToOthers if somebody other than the user or root
// can change the file.
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

// CheckSecret returns ErrOpenToOthers if somebody other than the user or root can read,
// change or replace the file (for the latter see CheckAbove, which links have to pass
// too). Unlike Check it accepts a file of root, and one that the user's own group may
// read: Kubernetes mounts a secret in this way, as a link, for a user whose number is
// that of fsGroup (https://kubernetes.io/docs/concepts/storage/volumes/#secret).
func CheckSecret(path string) error {
	if err := CheckAbove(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := CheckTrusted(path, info); err != nil {
		return err
	}
	forbidden := fs.FileMode(0o077)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && ownGroup(stat) {
		forbidden = 0o007
	}
	if info.Mode().Perm()&forbidden != 0 {
		return fmt.Errorf("%w: others can read %s (mode %04o); run: chmod go-rwx %s", ErrOpenToOthers, path, info.Mode().Perm(), quote(path))
	}
	return nil
}

// trusted reports whether the owner is the user or root.
func trusted(stat *syscall.Stat_t) bool {
	return stat.Uid == 0 || int(stat.Uid) == os.Geteuid() || stat.Uid == unmapped && mapped()
}

// mapped reports whether the process is in a user namespace that does not map
// every user.
func mapped() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	const all = "4294967295"
	return err == nil && !strings.Contains(string(text), all)
}

// writable returns the write permissions that others have. A group with the
// user's own number counts as the user, since systems create one for each user.
func writable(stat *syscall.Stat_t) fs.FileMode {
	if ownGroup(stat) {
		return 0o002
	}
	return Unchangeable
}

// ownGroup reports whether a group belongs to the user alone.
func ownGroup(stat *syscall.Stat_t) bool {
	return int(stat.Gid) == os.Getegid() && os.Getegid() == os.Geteuid() && stat.Gid != 0
}

func quote(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }
