package edits

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLinks is how many links are followed in one path.
const maxLinks = 40

// Names returns a target as claims name files: relative to the root of each
// repository that it is in, with slashes. A file has several names where there are
// links, or repositories in repositories. One that is in no repository is named from
// base, the project's folder, if it is in that. All of a worktree's files have the
// names that they have in every other worktree.
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

// under names a path from a root that it is in.
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

// withoutBrackets writes "?" for [abc], which claims know no other word for.
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

// forms are the paths that one path may lead to: as it is written, with the links
// to its folder followed, and with its own link followed.
func forms(path string) []string {
	if path == "" {
		return nil
	}
	all := []string{filepath.Clean(path), resolve(path, false), resolve(path, true)}
	slices.Sort(all)
	return slices.Compact(all)
}

// resolve follows the links in a path, as the system does; what does not exist is
// taken as it is written. Last tells whether a link at its end is followed too.
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

// repositories are the folders above a path that hold a repository or a worktree,
// the path itself among them.
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
