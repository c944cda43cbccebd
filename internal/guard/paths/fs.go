package paths

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
)

// FS is the part of a file system that the policy reads: the targets of links and
// the contents of folders. Paths are absolute and slash-separated.
type FS interface {
	// Lstat describes the named entry. It does not follow a symbolic link in the
	// last component.
	Lstat(name string) (fs.FileInfo, error)
	// Readlink returns the target of a symbolic link, as written.
	Readlink(name string) (string, error)
	// ReadDir lists a folder, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
}

// Machine is the file system of this machine.
type Machine struct{}

// Lstat calls os.Lstat.
func (Machine) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// Readlink calls os.Readlink.
func (Machine) Readlink(name string) (string, error) { return os.Readlink(name) }

// ReadDir calls os.ReadDir.
func (Machine) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// ErrLinks means that a path leads through too many symbolic links, such as a
// cycle.
var ErrLinks = errors.New("too many symbolic links")

// Resolve follows a path the way the kernel does: component by component,
// resolving a link before the ".." that follows it. Components that do not exist
// stay as written, so that a path can be judged on a machine that does not have
// it.
func Resolve(fsys FS, name string) (string, error) {
	const maxLinks = 40
	rest := strings.Split(name, "/")
	done, links, missing := "/", 0, false
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			done, missing = path.Dir(done), false
			continue
		}
		next := path.Join(done, part)
		if missing {
			done = next
			continue
		}
		info, err := fsys.Lstat(next)
		if err != nil {
			done, missing = next, true
			continue
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", ErrLinks
		}
		target, err := fsys.Readlink(next)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(target, "/") {
			done = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, nil
}

// IsAbs reports whether a slash-separated path is absolute.
func IsAbs(name string) bool { return strings.HasPrefix(name, "/") }

// Clean returns the absolute form of a path without "." and "..".
func Clean(name string) string { return path.Clean("/" + name) }

// Within reports whether a cleaned path is dir or lies below it.
func Within(name, dir string) bool { return name == dir || hasDirPrefix(name, dir) }

// Fold returns a path in lower case, to compare paths on file systems that ignore
// case.
func Fold(name string) string { return strings.ToLower(name) }

// Components splits a path at its slashes. The root has one empty component.
func Components(p string) []string { return strings.Split(strings.Trim(p, "/"), "/") }

// HasUp reports whether a path has a ".." component.
func HasUp(name string) bool { return strings.Contains("/"+name+"/", "/../") }

// Join returns name relative to dir, without cleaning the result. An absolute
// name is returned unchanged.
func Join(dir, name string) string {
	if IsAbs(name) {
		return name
	}
	return dir + "/" + name
}

// hasDirPrefix compares whole components: /a/bc is not below /a/b.
func hasDirPrefix(name, dir string) bool {
	if dir == "/" {
		return strings.HasPrefix(name, "/")
	}
	return len(name) > len(dir) && strings.HasPrefix(name, dir) && name[len(dir)] == '/'
}
