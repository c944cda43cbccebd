package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"example.org/bridge/internal/dirstate"
	"example.org/bridge/internal/guard/paths"
)

// shieldMount is a path in the workspace that is mounted onto itself. As a mount
// point it can be neither renamed nor removed in the box.
type shieldMount struct {
	Path     string `json:"path"`
	ReadOnly bool   `json:"readOnly"`
	// Mask covers a file with the null device, so that it can be neither read nor
	// written.
	Mask bool `json:"mask,omitempty"`
}

// maxShield is the maximum number of held paths in a workspace. Each is a mount,
// and bubblewrap reads the whole mount table for each.
const maxShield = 1000

// shield holds the protected paths of a workspace for one run.
type shield struct {
	workspace string
	before    survey
	gitWrite  bool
	mounts    []shieldMount
	made      []placeholder
}

// newShield surveys the workspace and protects it. If it is writable, no other
// run may be using it. A protected name that is a symbolic link is refused,
// because the link could be replaced and its target is not held. The files of the
// workspace are counted into held, unless that is nil.
func newShield(sp spec, held *counter) (*shield, error) {
	seen := new(dirstate.Seen)
	if err := seen.UnmarshalBinary(sp.Seen); err != nil {
		return nil, err
	}
	s := &shield{workspace: sp.Workspace, gitWrite: sp.GitWrite}
	if sp.Writable {
		s.clearStale()
	}
	if sp.writesLinked() {
		clearStaleGit(sp.Linked.Common)
		clearStaleGit(sp.Linked.Own)
	}
	var err error
	if s.before, err = surveyWorkspace(sp.Workspace, seen, held); err != nil {
		return nil, err
	}
	if sp.Writable {
		err = errors.Join(s.refuseLinks(), s.protect(sp.Backend))
	}
	if err == nil && sp.Linked != nil {
		err = s.protectLinked(sp)
	}
	if err == nil && sp.Writable {
		err = s.protectConfigured(sp)
	}
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	s.mountGranted(sp)
	if len(s.mounts) > maxShield {
		err := fmt.Errorf("the workspace has %d protected files and folders (such as .git, .vscode and .env), at most %d can be protected: choose a smaller folder", len(s.mounts), maxShield)
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// mountGranted makes tool folders in the workspace read-only, and .env files
// unreadable unless the grant allows reading them.
func (s *shield) mountGranted(sp spec) {
	if sp.Writable {
		for _, tool := range sp.Tools {
			if within(sp.Workspace, tool) {
				s.mounts = append(s.mounts, shieldMount{Path: tool, ReadOnly: true})
			}
		}
	}
	if !sp.EnvFiles {
		for _, path := range s.before.env {
			s.mounts = append(s.mounts, shieldMount{Path: filepath.Join(s.workspace, path), ReadOnly: true, Mask: true})
		}
	}
}

// refuseLinks refuses protected names that are symbolic links; see newShield.
func (s *shield) refuseLinks() error {
	for _, p := range s.before.protected {
		if p.link {
			return symlinkError(filepath.Join(s.workspace, p.path))
		}
	}
	return nil
}

// clearStale removes the placeholders that a killed supervisor left behind.
func (s *shield) clearStale() {
	for _, p := range paths.ProtectedNames() {
		if p.Reserve {
			removeStale(filepath.Join(s.workspace, p.Name), p.Content)
		}
	}
	removeStale(filepath.Join(s.workspace, bareHead), "")
	clearStaleGit(filepath.Join(s.workspace, ".git"))
}

func clearStaleGit(git string) {
	for _, p := range paths.ProtectedInGit() {
		if p.Reserve {
			removeStale(filepath.Join(git, p.Name), p.Content)
		}
	}
}

// protect holds the existing protected names, and reserves the absent ones at the
// top. With Landlock nothing can be created at the top anyway, and .git stays
// read-only: Landlock cannot distinguish what git creates there from what a
// command creates.
func (s *shield) protect(b Backend) error {
	seen := make(map[string]bool)
	for _, p := range s.before.protected {
		if filepath.Dir(p.path) == "." {
			seen[strings.ToLower(p.path)] = true
		}
		path := filepath.Join(s.workspace, p.path)
		if p.path == ".git" && p.dir && s.gitWrite && b != Landlock {
			if err := s.coverGit(path); err != nil {
				return err
			}
			continue
		}
		s.mounts = append(s.mounts, shieldMount{Path: path, ReadOnly: true})
	}
	if b == Landlock {
		return nil
	}
	for _, p := range paths.ProtectedNames() {
		if p.Reserve && !seen[p.Name] {
			if err := s.hold(filepath.Join(s.workspace, p.Name), p.Content); err != nil {
				return err
			}
		}
	}
	if seen[".git"] {
		return nil // git uses it, and looks for nothing else
	}
	return s.holdHead()
}

// holdHead prevents the top of a workspace without .git from being turned into a
// repository.
func (s *shield) holdHead() error {
	head := filepath.Join(s.workspace, bareHead)
	info, err := os.Lstat(head)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return s.hold(head, "")
	case err != nil:
		return err
	case info.Mode()&os.ModeSymlink != 0:
		return symlinkError(head)
	}
	s.mounts = append(s.mounts, shieldMount{Path: head, ReadOnly: true})
	return nil
}

// coverGit first mounts .git itself, writable: otherwise it could be moved away
// and replaced.
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
