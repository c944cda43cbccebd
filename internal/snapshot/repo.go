package snapshot

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Limits of what is read from a repository.
const (
	maxRules   = 1 << 20   // a list of ignored files
	maxIndex   = 256 << 20 // git's index
	maxGitFile = 4096      // a .git that is a file
)

// repository is the part of git's state that matters for a workspace. Outside a
// repository, everything in it is empty.
type repository struct {
	prefix  string   // the workspace below the repository's top, with slashes
	above   []string // the real paths of the folders from the top to the workspace
	tracked []string // paths relative to the top
	exclude string   // the text of info/exclude
}

// findRepository looks for the repository around a workspace. Files that cannot
// be read are treated as missing, so that more is kept rather than less.
func findRepository(top string) repository {
	var r repository
	for at := top; ; at = filepath.Dir(at) {
		d, err := openDir(at)
		if err != nil {
			return repository{}
		}
		i, err := d.stat(".git")
		if err == nil && (i.kind == folder || i.kind == file) {
			r.read(d, at, i.kind)
			d.close()
			if rel, err := filepath.Rel(at, top); err == nil && rel != "." {
				r.prefix = filepath.ToSlash(rel)
			}
			return r
		}
		d.close()
		if at == filepath.Dir(at) {
			return repository{}
		}
		r.above = append([]string{filepath.Dir(at)}, r.above...)
	}
}

func (r *repository) read(d dir, at string, k kind) {
	git, err := d.open(".git")
	common := git
	if k == file {
		git, common, err = linked(d, at)
	}
	if err != nil {
		return
	}
	defer git.close()
	r.readIndex(git)
	if info, err := common.open("info"); err == nil {
		defer info.close()
		if data, err := readSmall(info, "exclude", maxRules); err == nil {
			r.exclude = string(data)
		}
	}
	if common != git {
		common.close()
	}
}

// readIndex records what git tracks. All paths of a split index's shared part
// count as tracked, including those that git has removed since.
func (r *repository) readIndex(git dir) {
	data, err := readSmall(git, "index", maxIndex)
	if err != nil {
		return
	}
	tracked, shared, err := parseIndex(data)
	if err != nil {
		return
	}
	if shared != "" {
		if data, err := readSmall(git, shared, maxIndex); err == nil {
			rest, _, _ := parseIndex(data)
			tracked = append(tracked, rest...)
		}
	}
	slices.Sort(tracked)
	r.tracked = slices.Compact(tracked)
}

// linked opens the git folder of a linked worktree, and the one that it shares.
func linked(d dir, at string) (git, common dir, err error) {
	data, err := readSmall(d, ".git", maxGitFile)
	if err != nil {
		return git, common, err
	}
	path := strings.TrimSpace(strings.TrimPrefix(string(data), "gitdir:"))
	if !filepath.IsAbs(path) {
		path = filepath.Join(at, path)
	}
	if git, err = openDir(path); err != nil {
		return git, common, err
	}
	common = git
	if data, err := readSmall(git, "commondir", maxGitFile); err == nil {
		shared := strings.TrimSpace(string(data))
		if !filepath.IsAbs(shared) {
			shared = filepath.Join(path, shared)
		}
		if other, err := openDir(shared); err == nil {
			common = other
		}
	}
	return git, common, nil
}

// readSmall reads a regular file of at most limit bytes.
func readSmall(d dir, name string, limit int64) ([]byte, error) {
	f, i, err := d.openFile(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if i.size > limit {
		return nil, errNoFile
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

var errNoFile = errors.New("it is not a regular file of an allowed size")
