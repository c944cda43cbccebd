package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/guard/paths"
)

// place is something that matters in a workspace: a path below its top, and
// which file or folder has it.
type place struct {
	path   string
	inode  uint64
	device uint64
	link   bool
	dir    bool
}

// survey is what matters in a workspace, at every depth.
type survey struct {
	// protected are the entries with a protected name. What lies in one is not
	// looked at.
	protected []place
	// heads are the files named HEAD that make their folder a repository.
	heads []place
	// env are regular files with a project's secrets.
	env []string
}

// surveyWorkspace reads the names of the whole tree, and follows no link. A
// folder that cannot be read is passed over.
func surveyWorkspace(top string) (survey, error) {
	var s survey
	if err := s.read(top, ""); err != nil {
		return survey{}, fmt.Errorf("reading the workspace: %w", err)
	}
	slices.SortFunc(s.protected, func(a, b place) int { return strings.Compare(a.path, b.path) })
	slices.Sort(s.env)
	return s, nil
}

func (s *survey) read(top, rel string) error {
	entries, err := readNames(filepath.Join(top, rel))
	if err != nil {
		if rel != "" && (errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist)) {
			return nil
		}
		return err
	}
	if isBare(entries) {
		s.heads = append(s.heads, placeOf(top, filepath.Join(rel, bareHead)))
	}
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(rel, name)
		switch {
		case paths.IsProtectedName(name):
			s.protected = append(s.protected, placeOf(top, path))
		case e.IsDir():
			if err := s.read(top, path); err != nil {
				return err
			}
		case secretEnv(name):
			s.addEnv(top, path)
		}
	}
	return nil
}

// addEnv notes a file of secrets. A link cannot be covered, so that its target
// is, where that lies in the workspace; others are out of reach.
func (s *survey) addEnv(top, path string) {
	target, err := filepath.EvalSymlinks(filepath.Join(top, path))
	if err != nil || !within(top, target) {
		return
	}
	if info, err := os.Lstat(target); err != nil || !info.Mode().IsRegular() {
		return
	}
	if rel, err := filepath.Rel(top, target); err == nil && !slices.Contains(s.env, rel) {
		s.env = append(s.env, rel)
	}
}

// isBare reports whether git takes a folder with these entries for a repository
// (is_git_directory in git's setup.c looks for HEAD, and for objects and refs
// beside it or where commondir says).
func isBare(entries []fs.DirEntry) bool {
	var head, objects, refs, common bool
	for _, e := range entries {
		switch e.Name() {
		case bareHead:
			head = true
		case "objects":
			objects = true
		case "refs":
			refs = true
		case "commondir":
			common = true
		}
	}
	return head && (objects && refs || common)
}

func readNames(dir string) ([]fs.DirEntry, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0) // #nosec G304 -- a folder of the workspace
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return f.ReadDir(-1)
}

func placeOf(top, path string) place {
	p := place{path: path}
	var st unix.Stat_t
	if unix.Lstat(filepath.Join(top, path), &st) == nil {
		p.inode, p.device = st.Ino, st.Dev
		p.link = st.Mode&unix.S_IFMT == unix.S_IFLNK
		p.dir = st.Mode&unix.S_IFMT == unix.S_IFDIR
	}
	return p
}
