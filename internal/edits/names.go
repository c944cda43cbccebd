package edits

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLinks is the maximum number of links followed in one path.
const maxLinks = 40

// Names returns the names that claims use for a target: paths relative to the root
// of each repository that contains it, with slashes. A file has several names if
// there are links or nested repositories. A file outside all repositories is named
// relative to base, the project's folder, if it is below that. A file in a worktree
// has the same names in every other worktree.
func (t Target) Names(base string) []string {
	var names []string
	for _, path := range forms(t.Path) {
		roots := repositories(path)
		if len(roots) == 0 {
			roots = append(roots, forms(base)...)
		}
		for _, root := range roots {
			names = append(names, t.under(root, path)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// under returns the names of a path relative to a root, if the path is below
// it.
func (t Target) under(root, path string) []string {
	name, err := filepath.Rel(root, path)
	if err != nil || name == ".." || strings.HasPrefix(name, ".."+string(filepath.Separator)) {
		return nil
	}
	name = filepath.ToSlash(name)
	if name == "." {
		if t.Below {
			return []string{"**"}
		}
		return nil
	}
	names := []string{name}
	if anyOf := withoutBrackets(name); anyOf != name {
		names = append(names, anyOf)
	}
	if t.Below {
		for _, folder := range slices.Clone(names) {
			names = append(names, folder+"/**")
		}
	}
	return names
}

// withoutBrackets replaces [abc] by "?", since claims have no bracket patterns.
func withoutBrackets(name string) string {
	var b strings.Builder
	for {
		start := strings.IndexByte(name, '[')
		if start < 0 {
			break
		}
		end := strings.IndexByte(name[start:], ']')
		if end < 2 || strings.Contains(name[start:start+end], "/") {
			break
		}
		b.WriteString(name[:start] + "?")
		name = name[start+end+1:]
	}
	return b.String() + name
}

// forms returns the paths that a path may refer to: as written, with the links to
// its folder followed, and with the path itself followed if it is a link.
func forms(path string) []string {
	if path == "" {
		return nil
	}
	all := []string{filepath.Clean(path), resolve(path, false), resolve(path, true)}
	slices.Sort(all)
	return slices.Compact(all)
}

// resolve follows the links in a path as the system does. Parts that do not exist
// are kept as written. last means that a link at the end is followed too.
func resolve(path string, last bool) string {
	const separator = string(filepath.Separator)
	root := filepath.VolumeName(path) + separator
	done := root
	left := filepath.FromSlash(strings.TrimPrefix(path, filepath.VolumeName(path)))
	links := 0
	for left != "" {
		var part string
		part, left, _ = strings.Cut(strings.TrimLeft(left, separator), separator)
		switch part {
		case "", ".":
			continue
		case "..":
			done = filepath.Dir(done)
			continue
		}
		next := filepath.Join(done, part)
		end := strings.Trim(left, separator) == ""
		target, err := os.Readlink(next)
		if err != nil || end && !last || links >= maxLinks {
			done = next
			continue
		}
		links++
		if filepath.IsAbs(target) {
			done = root
		}
		left = filepath.FromSlash(target) + separator + left
	}
	return done
}

// repositories returns path and the folders above it that contain a repository or
// a worktree.
func repositories(path string) (roots []string) {
	for dir := path; ; dir = filepath.Dir(dir) {
		if exists(filepath.Join(dir, ".git")) {
			roots = append(roots, dir)
		}
		if dir == filepath.Dir(dir) {
			return roots
		}
	}
}
