package commands

import (
	"os"
	"path/filepath"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

// gitNote says, before a grant is opened, whether git will work under it. It is
// empty where nobody would expect it to.
func gitNote(g Grant) string {
	if g.Ceiling == guard.ModeSafe || g.Unsandboxed() {
		return ""
	}
	info, err := os.Lstat(filepath.Join(g.Workspace, ".git"))
	switch {
	case err == nil && !info.IsDir():
		return linkedNote(g)
	case err == nil && g.Sandbox == sandbox.Landlock:
		return "reads the repository, and cannot write to it under Landlock: add, commit and checkout will fail"
	case err == nil:
		return "works; hooks and configuration are read-only (under Landlock, where bubblewrap does not work, it only reads)"
	}
	for dir := filepath.Dir(g.Workspace); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return "will not work: the repository's top is " + cleantext.Escape(dir) + "; open that folder to use git"
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// linkedNote is for a folder whose .git is a file.
func linkedNote(g Grant) string {
	linked, err := sandbox.FindLinked(g.Workspace, nil)
	switch {
	case err != nil:
		return "will not work: " + cleantext.Escape(err.Error())
	case linked == nil:
		return "will not work: .git is neither a folder nor a file"
	case g.Sandbox == sandbox.Landlock:
		return "reads the repository " + cleantext.Escape(linked.Common) + ", and cannot write to it under Landlock"
	}
	return "works: this is a linked worktree, so that commands see the repository " + cleantext.Escape(linked.Common) +
		" with all its branches, and git's writing commands write there"
}
