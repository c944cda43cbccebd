package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"example.org/bridge/internal/guard/paths"
	"golang.org/x/sys/unix"
)

// shieldMount is a path in the workspace that is mounted onto itself. Being a
// mount point it can be neither renamed nor removed in the box.
type shieldMount struct {
	Path     string `json:"path"`
	ReadOnly bool   `json:"readOnly"`
}

// shield holds the protected paths of a workspace for one run. Where a name
// is absent, it puts a placeholder there, since a mount needs something to be
// mounted on, and takes it away afterwards.
type shield struct {
	mounts []shieldMount
	made   []placeholder
}

type placeholder struct {
	path  string
	inode uint64
	dir   bool
}

// newShield looks at the workspace, which no other run may be using.
// A protected name that is a symbolic link is refused: the link could be
// replaced, and its target is not held.
func newShield(workspace string) (*shield, error) {
	s := &shield{}
	if err := s.coverTop(workspace); err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

func (s *shield) coverTop(workspace string) error {
	entries, err := os.ReadDir(workspace)
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	for _, e := range entries {
		name := e.Name()
		if !paths.IsProtectedName(name) {
			continue
		}
		seen[strings.ToLower(name)] = true
		path := filepath.Join(workspace, name)
		if e.Type()&os.ModeSymlink != 0 {
			return symlinkError(path)
		}
		if name == ".git" && e.IsDir() {
			if err := s.coverGit(path); err != nil {
				return err
			}
			continue
		}
		s.mounts = append(s.mounts, shieldMount{Path: path, ReadOnly: true})
	}
	for _, p := range paths.ProtectedNames() {
		if p.Reserve && !seen[p.Name] {
			if err := s.hold(filepath.Join(workspace, p.Name), p.Content); err != nil {
				return err
			}
		}
	}
	return nil
}

// coverGit mounts .git itself first, writable: otherwise it could be moved
// away, with a new one in its place.
func (s *shield) coverGit(git string) error {
	s.mounts = append(s.mounts, shieldMount{Path: git})
	for _, p := range paths.ProtectedInGit() {
		if p.ByGit {
			continue
		}
		path := filepath.Join(git, p.Name)
		if dir := filepath.Dir(path); dir != git {
			if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
				continue
			}
		}
		info, err := os.Lstat(path)
		switch {
		case err == nil && info.Mode()&os.ModeSymlink != 0:
			return symlinkError(path)
		case err == nil:
			s.mounts = append(s.mounts, shieldMount{Path: path, ReadOnly: true})
		case !errors.Is(err, os.ErrNotExist):
			return err
		case p.Reserve:
			if err := s.hold(path, p.Content); err != nil {
				return err
			}
		}
	}
	return nil
}

func symlinkError(path string) error {
	return fmt.Errorf("%s is a symbolic link, which cannot be protected; replace it with what it points to", path)
}

// hold creates a placeholder and mounts it read-only.
func (s *shield) hold(path, content string) error {
	p := placeholder{path: path, dir: content == ""}
	if p.dir {
		if err := os.Mkdir(path, 0o700); err != nil {
			return err
		}
	} else if err := createFile(path, content); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return err
	}
	p.inode = st.Ino
	s.made = append(s.made, p)
	s.mounts = append(s.mounts, shieldMount{Path: path, ReadOnly: true})
	return nil
}

func createFile(path, content string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // #nosec G302 G304 -- read by git, which may be another user's
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}

// remove takes the placeholders away again. One that somebody outside of the
// box has replaced or filled meanwhile is left.
func (s *shield) remove() error {
	var errs []error
	for _, p := range s.made {
		var st unix.Stat_t
		if unix.Lstat(p.path, &st) != nil || st.Ino != p.inode {
			continue
		}
		var err error
		if p.dir {
			err = unix.Rmdir(p.path)
		} else {
			err = unix.Unlink(p.path)
		}
		if err != nil && !errors.Is(err, unix.ENOTEMPTY) {
			errs = append(errs, fmt.Errorf("removing the placeholder %s: %w", p.path, err))
		}
	}
	s.made = nil
	return errors.Join(errs...)
}
