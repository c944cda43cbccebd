package systemtool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is the maximum number of symbolic links followed, as in Linux's
// path_resolution(7).
const maxLinks = 40

// othersMayWrite are the permission bits that let others change a file or
// folder.
const othersMayWrite fs.FileMode = 0o022

// resolve follows path component by component from the root, and checks each
// folder, each link and finally the program itself.
func (f finder) resolve(path string) (string, error) {
	if err := f.check("/", true); err != nil {
		return "", err
	}
	done, rest := "", components(path)
	for links := 0; len(rest) > 0; {
		next := done + "/" + rest[0]
		info, err := os.Lstat(f.root + next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if err := f.check(next, len(rest) > 1); err != nil {
				return "", err
			}
			done, rest = next, rest[1:]
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%s: too many symbolic links", path)
		}
		if err := f.checkOwner(next, info); err != nil {
			return "", err
		}
		target, err := os.Readlink(f.root + next)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = done + "/" + target
		}
		// If a ".." follows a link within the target, this path differs from
		// the kernel's. That is harmless, because the path that was checked is
		// the one returned.
		done, rest = "", append(components(target), rest[1:]...)
	}
	return done, nil
}

// components returns the parts of a path from the root, without "." and "..".
func components(path string) []string {
	return strings.FieldsFunc(filepath.ToSlash(filepath.Clean("/"+path)), func(r rune) bool { return r == '/' })
}

// check refuses what somebody other than the owner can change. A folder with
// the sticky bit is refused too, because somebody may have added the program to
// it.
func (f finder) check(path string, folder bool) error {
	info, err := os.Lstat(f.root + path)
	if err != nil {
		return err
	}
	switch {
	case folder && !info.IsDir():
		return fmt.Errorf("%s is not a folder", path)
	case !folder && !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case !folder && info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable", path)
	case info.Mode().Perm()&othersMayWrite != 0:
		return fmt.Errorf("others may write to %s: run chmod go-w on it", path)
	}
	return f.checkOwner(path, info)
}

func (f finder) checkOwner(path string, info fs.FileInfo) error {
	owner, ok := ownerOf(info)
	if !ok {
		return errors.New("this system does not report the owner of a file")
	}
	if owner != f.owner {
		return fmt.Errorf("%s belongs to user %d, not to %d", path, owner, f.owner)
	}
	return nil
}
