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
// above path that lets other users put something else in place of what is
// below it: sshd's StrictModes looks at the same. It looks up to the user's home
// folder where path is in it, and up to the root otherwise. A folder for everybody
// that has the sticky bit, such as /tmp, lets nobody touch what is another's.
//
// Where path or a folder above it is a link, whoever can change the link, or what is
// above its target, can put something else there, too: it looks above each link on the
// way, and a link of another user is refused.
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

// checkUp checks a folder, without links in its name, and those above it.
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

// mostLinks is how many links one name may lead through, as on Linux
// (path_resolution(7)).
const mostLinks = 40

// passed looks path up as the system does, and returns the folders, without links, in
// which a link stood, and last the one in which path stands. What is missing of it is
// to be made in the last one that is there.
func passed(path string) (dirs []string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	at, links := "/", 0
	rest := names(path)
	for len(rest) > 0 {
		next := filepath.Join(at, rest[0]) // of ".." it is the folder above
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

// checkLink returns where a link leads, and refuses one that its owner could let lead
// elsewhere.
func checkLink(path string, info fs.FileInfo) (target string, err error) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && !trusted(stat) {
		return "", fmt.Errorf("%w: the link %s belongs to user %d, who could let it lead elsewhere: name what it leads to", ErrOpenToOthers, path, stat.Uid)
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

// CheckSecret reports, as ErrOpenToOthers, a file with a secret that somebody else than
// the user or root can read or change, or that others could replace (CheckAbove, which
// links must pass, too). Unlike Check it takes a file of root's, and one that a group of
// the user's own number may read: so Kubernetes mounts a secret, as a link, for a user
// whose number is that of fsGroup
// (https://kubernetes.io/docs/concepts/storage/volumes/#secret).
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
	if ownGroup(stat) {
		return 0o002
	}
	return Unchangeable
}

// ownGroup reports a group that is the user's alone.
func ownGroup(stat *syscall.Stat_t) bool {
	return int(stat.Gid) == os.Getegid() && os.Getegid() == os.Geteuid() && stat.Gid != 0
}

func quote(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }
