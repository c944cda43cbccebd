package sandbox

import (
	"os"
	"path/filepath"
)

// writesLinked reports whether the command may write to the repository of a
// linked worktree. With Landlock it may not, because Landlock cannot distinguish
// what git creates there from what a command creates.
func (s spec) writesLinked() bool {
	return s.Linked != nil && s.Writable && s.GitWrite && s.Backend != Landlock
}

// protectLinked shows the repository of a linked worktree, read-only or, for
// commands with git write access, with the protection that [shield.coverGit]
// gives a .git folder. The HEAD and the index of the main worktree stay
// read-only, and so do the files of other worktrees.
func (s *shield) protectLinked(sp spec) error {
	linked := sp.Linked
	if !sp.writesLinked() {
		s.mounts = append(s.mounts, shieldMount{Path: linked.Common, ReadOnly: true})
		return nil
	}
	if err := s.coverGit(linked.Common); err != nil {
		return err
	}
	if err := s.coverExisting(linked.Common, bareHead, "index"); err != nil {
		return err
	}
	// Own lies in "worktrees", which is already read-only.
	if err := s.coverGit(linked.Own); err != nil {
		return err
	}
	return s.coverExisting(linked.Own, "gitdir", "locked")
}

// coverExisting makes files of a folder read-only, as far as they exist.
func (s *shield) coverExisting(dir string, names ...string) error {
	for _, name := range names {
		path := filepath.Join(dir, name)
		info, err := os.Lstat(path)
		switch {
		case os.IsNotExist(err):
		case err != nil:
			return err
		case info.Mode()&os.ModeSymlink != 0:
			return symlinkError(path)
		default:
			s.mounts = append(s.mounts, shieldMount{Path: path, ReadOnly: true})
		}
	}
	return nil
}
