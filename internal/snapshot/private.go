package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// attributes win over those in the working tree: bytes are stored as they are.
const attributes = "* -text !eol -ident -filter !working-tree-encoding -diff -merge\n"

// private is a git folder with an index of its own, the repository's objects,
// and nothing of its configuration.
type private struct {
	*repository
	path    string
	scratch bool // new objects go to the private folder too
}

// newPrivate makes the folder. The caller must call remove.
func (r *repository) newPrivate(scratch bool) (*private, error) {
	path, err := os.MkdirTemp("", "bridge-snapshot-")
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	p := &private{repository: r, path: path, scratch: scratch}
	if err := p.fill(); err != nil {
		return nil, errors.Join(fmt.Errorf("snapshot: %w", err), p.remove())
	}
	return p, nil
}

func (p *private) fill() error {
	exclude, err := p.excludePatterns()
	if err != nil {
		return err
	}
	files := map[string]string{
		"HEAD":            "ref: refs/heads/none\n",
		"config":          "[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectformat = " + p.format + "\n",
		"info/attributes": attributes,
		"info/exclude":    string(exclude),
	}
	for _, dir := range []string{"info", "objects", "refs"} {
		if err := os.Mkdir(filepath.Join(p.path, dir), 0o700); err != nil {
			return err
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(p.path, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	uid, gid, err := ownerOf(p.top)
	if err != nil || uid < 0 {
		return err
	}
	return filepath.WalkDir(p.path, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, uid, gid)) // #nosec G122 -- nobody else can enter the folder yet
	})
}

// maxExclude bounds the repository's own list of ignored files.
const maxExclude = 1 << 20

// excludePatterns reads that list. Anything but a file there is no list.
func (p *private) excludePatterns() ([]byte, error) {
	path := filepath.Join(p.common, "info", "exclude")
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxExclude {
		return nil, nil //nolint:nilerr // a repository need not have one
	}
	return os.ReadFile(path) // #nosec G304 -- patterns, which git would read as well
}

func (p *private) remove() error { return os.RemoveAll(p.path) }

// run runs git in the private folder.
func (p *private) run(ctx context.Context, stdin []byte, args ...string) (string, error) {
	env := append(environment(), "GIT_DIR="+p.path, "GIT_WORK_TREE="+p.top, "GIT_INDEX_FILE="+filepath.Join(p.path, "index"))
	objects := filepath.Join(p.common, "objects")
	if p.scratch {
		env = append(env, "GIT_OBJECT_DIRECTORY="+filepath.Join(p.path, "objects"), "GIT_ALTERNATE_OBJECT_DIRECTORIES="+objects)
	} else {
		env = append(env, "GIT_OBJECT_DIRECTORY="+objects)
	}
	// Names such as GIT~1 are dangerous on other systems only, and must not
	// keep a snapshot from being taken.
	full := append([]string{"--no-pager", "-c", "core.protectHFS=false", "-c", "core.protectNTFS=false", "-c", "core.untrackedCache=false"}, args...)
	return p.repository.run(ctx, env, stdin, full...)
}

// writeTree stores the workspace as it is now, and returns the tree's name
// and the paths that were left out.
func (p *private) writeTree(ctx context.Context) (tree string, skipped []string, err error) {
	paths, skipped, err := p.paths(ctx)
	if err != nil {
		return "", nil, err
	}
	var list strings.Builder
	for _, path := range paths {
		list.WriteString(path)
		list.WriteByte(0)
	}
	if _, err := p.run(ctx, []byte(list.String()), "update-index", "--add", "-z", "--stdin"); err != nil {
		return "", nil, err
	}
	tree, err = p.run(ctx, nil, "write-tree")
	return strings.TrimSpace(tree), skipped, err
}

// paths returns what belongs in a snapshot: files and links that are not
// ignored, and those that git tracks although they are.
func (p *private) paths(ctx context.Context) (keep, skipped []string, err error) {
	scope := []string{}
	if p.prefix != "" {
		scope = []string{"--", p.prefix + "/"}
	}
	// With an empty index, everything is untracked.
	untracked, err := p.run(ctx, nil, append([]string{"ls-files", "-z", "--others", "--exclude-standard"}, scope...)...)
	if err != nil {
		return nil, nil, err
	}
	tracked, err := p.own(ctx, append([]string{"ls-files", "-z", "--cached"}, scope...)...)
	if err != nil {
		return nil, nil, err
	}
	root, err := os.OpenRoot(p.top)
	if err != nil {
		return nil, nil, fmt.Errorf("snapshot: %w", err)
	}
	defer func() { _ = root.Close() }()
	all := append(splitNUL(untracked), splitNUL(tracked)...)
	slices.Sort(all)
	for _, path := range slices.Compact(all) {
		switch {
		case !p.inScope(path):
		case strings.HasSuffix(path, "/") || isDir(root, path) || hasGitComponent(path):
			skipped = append(skipped, strings.TrimSuffix(path, "/"))
		case isKept(root, path):
			keep = append(keep, path)
		}
	}
	return keep, slices.Compact(skipped), nil
}

func (p *private) inScope(path string) bool {
	return p.prefix == "" || strings.HasPrefix(path, p.prefix+"/")
}

func splitNUL(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\x00"), "\x00")
}

// hasGitComponent: git refuses to store such a path, in any case of letters.
func hasGitComponent(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(c string) bool { return strings.EqualFold(c, ".git") })
}

func isDir(root *os.Root, path string) bool {
	info, err := root.Lstat(filepath.FromSlash(path))
	return err == nil && info.IsDir()
}

// isKept reports whether path is a regular file or a link, in folders that
// are no links themselves. A tracked path may have gone.
func isKept(root *os.Root, path string) bool {
	for i, c := range path {
		if c == '/' && !isDir(root, path[:i]) {
			return false
		}
	}
	info, err := root.Lstat(filepath.FromSlash(path))
	return err == nil && (info.Mode().IsRegular() || info.Mode()&os.ModeSymlink != 0)
}
