package yolo

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
)

// FS is what the policy needs to know of a file system: where links lead, and
// what a folder holds. Paths are absolute and slash-separated.
type FS interface {
	// Lstat describes the named entry without following a last link.
	Lstat(name string) (fs.FileInfo, error)
	// Readlink gives the target of a symbolic link, as written.
	Readlink(name string) (string, error)
	// ReadDir lists a folder, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
}

type machineFS struct{}

func (machineFS) Lstat(name string) (fs.FileInfo, error)     { return os.Lstat(name) }
func (machineFS) Readlink(name string) (string, error)       { return os.Readlink(name) }
func (machineFS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// errLinks is a chain of links that does not end.
var errLinks = errors.New("too many symbolic links")

// resolve follows a path the way the kernel does: component by component, a
// link before the ".." that comes after it. What does not exist stays as
// written, so a path can be judged on a machine that does not have it.
func resolve(fsys FS, name string) (string, error) {
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
			return "", errLinks
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

func isAbs(name string) bool       { return strings.HasPrefix(name, "/") }
func cleanPath(name string) string { return path.Clean("/" + name) }
func within(name, dir string) bool { return name == dir || hasDirPrefix(name, dir) }
func foldPath(name string) string  { return strings.ToLower(name) }
func components(p string) []string { return strings.Split(strings.Trim(p, "/"), "/") }
func hasUpDir(name string) bool    { return strings.Contains("/"+name+"/", "/../") }
func joinDir(dir, name string) string {
	if isAbs(name) {
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
