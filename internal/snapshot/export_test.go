package snapshot

import (
	"path/filepath"
	"strings"

	"example.org/bridge/internal/dirstate"
)

// Ignored judges a path by a single list at the top.
func Ignored(list, path string, dir bool) bool {
	folder, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		folder, name = path[:i], path[i+1:]
	}
	j := judgement{lists: []rules{parseRules("", list)}, folder: folder}
	return j.ignored(name, dir)
}

// ParseIndex parses git's index.
func ParseIndex(data []byte) ([]string, error) {
	paths, _, err := parseIndex(data)
	return paths, err
}

// Tracked returns what git tracks in the repository around a workspace.
func Tracked(top string) []string { return findRepository(top).tracked }

// Remembered counts the folders of a workspace whose names are remembered, and the
// files whose hashes are.
func Remembered(k Keeper, workspace string) (folders, files int) {
	top, err := filepath.EvalSymlinks(workspace)
	if err != nil {
		return 0, 0
	}
	for _, f := range k.withDefaults().loadCache(top).old {
		if f.stamp != (dirstate.Stamp{}) {
			folders++
		}
		for i := range f.count() {
			if f.remembers(i) {
				files++
			}
		}
	}
	return folders, files
}

// DecodeCache decodes the part of a cache file between its first line and its
// checksum, reads everything in it, and returns the names by folder.
func DecodeCache(text string) map[string][]string {
	all := make(map[string][]string)
	for path, f := range decodeCache(text) {
		for i := range f.count() {
			all[path] = append(all[path], f.name(i))
			_, _ = f.remembers(i), f.hash(i, &info{kind: file})
		}
	}
	return all
}

// CacheSeeds returns inputs for [DecodeCache].
func CacheSeeds() []string {
	hash := strings.Repeat("0123456789abcdef", 4)
	l := &listing{stamp: dirstate.Stamp{Device: 1, Inode: 2, Modified: 3, Changed: 4}, found: []found{
		{name: "a", info: info{kind: file, size: 5, inode: 6, dev: 1, mtime: 7, ctime: 8}, hash: hash, remember: true}, {name: "b"},
	}}
	return []string{"", encode("", l), encode("", l) + encode("sub/folder", &listing{})}
}
