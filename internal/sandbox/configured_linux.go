package sandbox

import (
	"errors"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Limits for reading a repository's configuration.
const (
	maxConfig      = 1 << 20
	maxConfigDepth = 4 // levels of files that include each other
)

// configured holds what the configuration of a workspace's repository names in
// the workspace: a folder of hooks, a filter, an alias, an included file. Git
// outside of the box runs or reads these, so that no command may write them. The
// user's own configuration is not read.
type configured struct {
	workspace string
	home      string   // the folder that "~" stands for
	files     []string // real paths of existing files
	// hooks are the folders that a hooksPath names. They need not exist. Which of
	// them applies depends on sections and conditions that are not evaluated.
	hooks []string
}

func findConfigured(sp spec) configured {
	c := configured{workspace: sp.Workspace, home: sp.UserHome}
	git := filepath.Join(sp.Workspace, ".git")
	dirs := []string{git}
	if sp.Linked != nil {
		dirs = []string{sp.Linked.Common, sp.Linked.Own}
	}
	for _, dir := range dirs {
		for _, name := range []string{"config", "config.worktree"} {
			c.read(filepath.Join(dir, name), 0)
		}
	}
	return c
}

func (c *configured) read(path string, depth int) {
	text, err := readRegular(path, maxConfig)
	if err != nil || depth > maxConfigDepth {
		return
	}
	for _, s := range parseGitConfig(text) {
		switch s.key {
		case "hookspath":
			if hooks := c.inWorkspace(c.workspace, s.value); hooks != "" {
				c.hooks = append(c.hooks, hooks)
			}
		case "path": // key of include and includeIf
			if file := c.inWorkspace(filepath.Dir(path), s.value); file != "" {
				c.add(file)
				c.read(file, depth+1)
			}
		default:
			if s.namesData() {
				continue
			}
			for _, word := range s.words() {
				c.add(c.inWorkspace(c.workspace, word))
				// The word may follow $(git rev-parse --show-toplevel), for
				// example.
				c.add(c.inWorkspace(c.workspace, strings.TrimLeft(word, "/")))
			}
		}
	}
}

// inWorkspace returns the real path that a word names relative to dir, or "" if
// that path is not below the top of the workspace.
func (c *configured) inWorkspace(dir, word string) string {
	word = c.expandHome(word)
	if word == "" || strings.ContainsRune(word, 0) {
		return ""
	}
	if !filepath.IsAbs(word) {
		word = filepath.Join(dir, word)
	}
	path := realPath(word)
	if path == c.workspace || !within(c.workspace, path) {
		return ""
	}
	return path
}

// expandHome replaces "~", "~user" and "$HOME" with the home folder, as git does
// in paths and a shell in commands.
func (c *configured) expandHome(word string) string {
	for _, variable := range []string{"$HOME/", "${HOME}/"} {
		if rest, ok := strings.CutPrefix(word, variable); ok {
			word = "~/" + rest
		}
	}
	if !strings.HasPrefix(word, "~") {
		return word
	}
	name, rest, _ := strings.Cut(word[1:], "/")
	home := c.home
	if name != "" {
		other, err := user.Lookup(name)
		if err != nil {
			return ""
		}
		home = other.HomeDir
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, rest)
}

func (c *configured) add(path string) {
	if info, err := os.Lstat(path); path != "" && err == nil && info.Mode().IsRegular() {
		c.files = append(c.files, path)
	}
}

// protectConfigured makes everything that [findConfigured] finds read-only.
func (s *shield) protectConfigured(sp spec) error {
	found := findConfigured(sp)
	for _, path := range found.files {
		s.addReadOnly(path)
	}
	anchored := found.files
	for _, hooks := range found.hooks {
		if !exists(hooks) && sp.Backend != Landlock {
			var err error
			if hooks, err = s.holdAbsent(hooks); err != nil {
				return err
			}
		}
		if hooks != "" && exists(hooks) {
			s.addReadOnly(hooks)
		}
		anchored = append(anchored, hooks)
	}
	if sp.Backend != Landlock {
		s.anchor(anchored)
	}
	return nil
}

// anchor mounts the folders above the given paths onto themselves. A folder that
// merely contains a mount could be moved away and replaced. Such a mount covers
// earlier mounts below it, so these mounts come first.
func (s *shield) anchor(paths []string) {
	var dirs []string
	for _, path := range paths {
		for dir := filepath.Dir(path); dir != s.workspace && within(s.workspace, dir); dir = filepath.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs) // parents before their subfolders
	anchors := make([]shieldMount, 0, len(dirs)+len(s.mounts))
	for _, dir := range slices.Compact(dirs) {
		anchors = append(anchors, shieldMount{Path: dir})
	}
	s.mounts = append(anchors, s.mounts...)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// addReadOnly adds a read-only mount, unless another mount has already made the
// path read-only.
func (s *shield) addReadOnly(path string) {
	for _, m := range s.mounts {
		if m.ReadOnly && within(m.Path, path) {
			return
		}
	}
	s.mounts = append(s.mounts, shieldMount{Path: path, ReadOnly: true})
}

// holdAbsent holds the first folder on the way to path that does not exist, and
// returns it. Landlock could hold it only by closing the whole folder around it;
// a new hooks folder below the top is therefore not held there.
func (s *shield) holdAbsent(path string) (string, error) {
	for dir := filepath.Dir(path); within(s.workspace, dir) && !exists(dir); dir = filepath.Dir(dir) {
		path = dir
	}
	if slices.ContainsFunc(s.made, func(p placeholder) bool { return p.path == path }) {
		return path, nil
	}
	err := s.hold(path, "")
	if errors.Is(err, unix.ENOTDIR) { // a file is in the way, for git as well
		return "", nil
	}
	return path, err
}

// readRegular reads a regular file. It does not follow a link and does not block.
func readRegular(path string, limit int64) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0) // #nosec G304 -- a repository's configuration
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", errors.New("it is not a file")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit))
	return string(data), err
}
