package commands

import (
	"os"
	"path/filepath"

	"example.org/bridge/internal/cleantext"
	"example.org/bridge/internal/guard"
	"example.org/bridge/internal/sandbox"
)

// gitNote tells the operator, before a grant is opened, whether git will work under it.
// It is empty where nobody would expect git to work.
func gitNote(g Grant) string {
	if g.Ceiling == guard.ModeSafe || g.Unsandboxed() {
		return ""
	}
	info, err := os.Lstat(filepath.Join(g.Workspace, ".git"))
	switch {
	case err == nil && !info.IsDir():
		return linkedNote(g)
	case err == nil && g.Sandbox == sandbox.Landlock:
		return "can read the repository, but not write to it under Landlock: add, commit and checkout will fail"
	case err == nil:
		return "works; hooks and configuration are read-only (if Landlock has to be used because bubblewrap does not work, git can only read)"
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

// linkedNote is gitNote for a folder whose .git is a file.
func linkedNote(g Grant) string {
	linked, err := sandbox.FindLinked(g.Workspace, nil)
	switch {
	case err != nil:
		return "will not work: " + cleantext.Escape(err.Error())
	case linked == nil:
		return "will not work: .git is neither a folder nor a file"
	case g.Sandbox == sandbox.Landlock:
		return "reads the repository " + cleantext.Escape(linked.Common) + ", but cannot write to it under Landlock"
	}
	return "works: this is a linked worktree, so commands can see the repository " + cleantext.Escape(linked.Common) +
		" with all its branches, and git commands that write change that repository"
}
