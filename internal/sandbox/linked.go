package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LinkedRepository locates the repository of a linked worktree by real paths
// (git-worktree(1), "DETAILS").
type LinkedRepository struct {
	// Common contains the objects, the references, the hooks and the
	// configuration.
	Common string `json:"common"`
	// Own is a folder in Common's folder "worktrees". It contains the worktree's
	// HEAD and index.
	Own string `json:"own"`
}

// maxGitFile limits the size of the files that link a worktree and its
// repository, in bytes. Each contains one path.
const maxGitFile = 8 << 10

// FindLinked returns the repository of a workspace that is a linked worktree, and
// nil for any other workspace. hidden are the paths that no command may see.
//
// The workspace says where the repository is, but anybody may have written the
// workspace. The repository must therefore name the workspace in turn, and must
// not be, contain or lie in anything that does not belong to a project. The error
// says which of these conditions fails.
func FindLinked(workspace string, hidden []string) (*LinkedRepository, error) {
	workspace = realPath(workspace)
	dotGit := filepath.Join(workspace, ".git")
	info, err := os.Lstat(dotGit)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil //nolint:nilerr // no linked worktree
	}
	own, err := readLink(dotGit, "gitdir: ")
	if err != nil {
		return nil, err
	}
	if name := filepath.Base(filepath.Dir(own)); name != "worktrees" {
		return nil, fmt.Errorf("its .git file names %s, which is not in a repository's folder worktrees", own)
	}
	l := &LinkedRepository{Own: own, Common: filepath.Dir(filepath.Dir(own))}
	if common, err := readLink(filepath.Join(own, "commondir"), ""); err != nil || common != l.Common {
		return nil, fmt.Errorf("the file commondir in %s does not name the repository; run `git worktree repair`", own)
	}
	if back, err := readLink(filepath.Join(own, "gitdir"), ""); err != nil || back != dotGit {
		return nil, fmt.Errorf("the repository %s does not name this worktree in turn; run `git worktree repair` there", l.Common)
	}
	return l, l.check(workspace, hidden)
}

// check returns why the repository cannot be shown to a command.
func (l *LinkedRepository) check(workspace string, hidden []string) error {
	for _, name := range []string{bareHead, "objects", "refs", "config"} {
		if _, err := os.Lstat(filepath.Join(l.Common, name)); err != nil {
			return fmt.Errorf("%s is not a git repository: %s is missing", l.Common, name)
		}
	}
	if within(workspace, l.Common) || within(l.Common, workspace) {
		return fmt.Errorf("the repository %s and the workspace must not contain one another", l.Common)
	}
	apart := append(slices.Clone(kernelRoots), hidden...)
	for _, path := range apart {
		if path = realPath(path); within(path, l.Common) || within(l.Common, path) {
			return fmt.Errorf("the repository %s and %s must not contain one another", l.Common, path)
		}
	}
	home, _ := os.UserHomeDir()
	for _, path := range append(slices.Clone(systemRoots), home) {
		if path != "" && within(l.Common, realPath(path)) {
			return fmt.Errorf("the repository %s is or contains %s", l.Common, path)
		}
	}
	if part := protectedComponent(filepath.Dir(l.Common)); part != "" {
		return fmt.Errorf("the repository %s is in %s", l.Common, part)
	}
	return nil
}

// readLink reads a file that contains one path, which may be relative to the
// file's folder, and returns the real path.
func readLink(path, prefix string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path) // #nosec G304 -- no command can write these files
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxGitFile))
	if err != nil {
		return "", err
	}
	target, ok := strings.CutPrefix(strings.TrimRight(string(data), "\r\n"), prefix)
	if !ok || target == "" || strings.ContainsAny(target, "\x00\n") {
		return "", errors.New(path + " does not name a folder")
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(path), target)
	}
	return filepath.EvalSymlinks(target)
}
