package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kind says what a restore does to a path.
type Kind string

// The kinds of change.
const (
	Create Kind = "create" // the snapshot has it, the workspace has not
	Change Kind = "change" // the two differ
	Remove Kind = "remove" // it came after the snapshot
)

// PathChange is what a restore does to one path.
type PathChange struct {
	Kind Kind
	Path string // below the top of the working tree, with slashes

	mode   string
	object string
}

// Restored is what a restore has done.
type Restored struct {
	// Before is the snapshot that was taken first: restoring it undoes the
	// restore.
	Before Snapshot
	// Changes were made.
	Changes []PathChange
}

// Preview returns what [Restore] would do, and does nothing.
func Preview(ctx context.Context, workspace string, snap Snapshot) (changes []PathChange, err error) {
	r, err := open(ctx, workspace)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, snap); err != nil {
		return nil, err
	}
	p, err := r.newPrivate(true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.remove()) }()
	tree, _, err := p.writeTree(ctx)
	if err != nil {
		return nil, err
	}
	return p.diff(ctx, tree, snap.Commit)
}

// Restore makes the workspace what it was: it puts back what was changed or
// removed, and removes what is new. Ignored files stay. It takes a snapshot of
// the label first, so that it can be undone itself.
//
// An error that comes with a Restored means that the paths not in Changes
// could not be restored.
func Restore(ctx context.Context, workspace string, snap Snapshot) (done Restored, err error) {
	r, err := open(ctx, workspace)
	if err != nil {
		return Restored{}, err
	}
	if err := r.check(ctx, snap); err != nil {
		return Restored{}, err
	}
	before, err := r.take(ctx, snap.Label)
	if err != nil {
		return Restored{}, err
	}
	done.Before = before
	p, err := r.newPrivate(true)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, p.remove()) }()
	changes, err := p.diff(ctx, before.Commit, snap.Commit)
	if err != nil {
		return done, err
	}
	done.Changes, err = p.apply(ctx, changes)
	return done, err
}

// check refuses what is not a snapshot.
func (r *repository) check(ctx context.Context, snap Snapshot) error {
	if !labelPattern.MatchString(snap.Label) {
		return ErrLabel
	}
	if !commitPattern.MatchString(snap.Commit) {
		return fmt.Errorf("%w: %q is not a commit's full name", ErrNotFound, snap.Commit)
	}
	if _, err := r.own(ctx, "cat-file", "-e", snap.Commit+"^{commit}"); err != nil {
		return fmt.Errorf("%w: its commit %s is gone: %w", ErrNotFound, snap.Commit, err)
	}
	return nil
}

// diff returns what leads from one tree to the other, within the workspace,
// removals first.
func (p *private) diff(ctx context.Context, from, to string) ([]PathChange, error) {
	args := []string{"diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-abbrev", from, to}
	if p.prefix != "" {
		args = append(args, "--", p.prefix+"/")
	}
	out, err := p.run(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	fields := splitNUL(out)
	var changes []PathChange
	for i := 0; i+1 < len(fields); i += 2 {
		// :oldmode newmode oldobject newobject status
		f := strings.Fields(strings.TrimPrefix(fields[i], ":"))
		if len(f) != 5 {
			return nil, fmt.Errorf("snapshot: git said %q", fields[i])
		}
		c := PathChange{Kind: Change, Path: fields[i+1], mode: f[1], object: f[3]}
		switch f[4] {
		case "A":
			c.Kind = Create
		case "D":
			c.Kind = Remove
		}
		if p.inScope(c.Path) && !hasGitComponent(c.Path) {
			changes = append(changes, c)
		}
	}
	slices.SortStableFunc(changes, func(a, b PathChange) int { return order(a) - order(b) })
	return changes, nil
}

func order(c PathChange) int {
	if c.Kind == Remove {
		return 0
	}
	return 1
}

// apply makes the changes, and returns those that were made. Every path is
// opened below the working tree's root, which no link leads out of.
func (p *private) apply(ctx context.Context, changes []PathChange) ([]PathChange, error) {
	root, err := os.OpenRoot(p.top)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	defer func() { _ = root.Close() }()
	var done []PathChange
	var errs []error
	for _, c := range changes {
		if ctx.Err() != nil {
			return done, errors.Join(append(errs, ctx.Err())...)
		}
		if c.Kind == Remove {
			err = removePath(root, filepath.FromSlash(c.Path))
		} else {
			err = p.writePath(ctx, root, c)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("snapshot: %s: %w", c.Path, err))
			continue
		}
		done = append(done, c)
	}
	return done, errors.Join(errs...)
}

// removePath removes a file, and the folders that it leaves empty.
func removePath(root *os.Root, path string) error {
	if err := root.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	removeEmpty(root, filepath.Dir(path))
	return nil
}

// removeEmpty removes folders from dir upwards until one is not empty.
func removeEmpty(root *os.Root, dir string) {
	for ; dir != "."; dir = filepath.Dir(dir) {
		if root.Remove(dir) != nil {
			return
		}
	}
}

// Modes of git's trees.
const (
	modeExecutable = "100755"
	modeRegular    = "100644"
	modeLink       = "120000"
)

// temporary is where a file is written before it takes its place.
const temporary = ".bridge-restore"

// writePath puts a file or a link back, in one step. A folder that is in the
// way holds ignored files, and stays.
func (p *private) writePath(ctx context.Context, root *os.Root, c PathChange) error {
	path := filepath.FromSlash(c.Path)
	if c.mode != modeExecutable && c.mode != modeRegular && c.mode != modeLink {
		return fmt.Errorf("cannot be restored: it has mode %s", c.mode)
	}
	if isDir(root, c.Path) {
		return errors.New("a folder with ignored files is in the way; move it")
	}
	content, err := p.run(ctx, nil, "cat-file", "blob", c.object)
	if err != nil {
		return err
	}
	if err := p.makeParents(root, path); err != nil {
		return err
	}
	tmp := filepath.Join(filepath.Dir(path), temporary)
	_ = root.Remove(tmp) // of a restore that was killed
	if err := p.writeFile(root, tmp, c.mode, content); err != nil {
		return errors.Join(err, root.Remove(tmp))
	}
	if err := root.Rename(tmp, path); err != nil {
		return errors.Join(err, root.Remove(tmp))
	}
	return nil
}

func (p *private) writeFile(root *os.Root, path, mode, content string) error {
	if mode == modeLink {
		if err := root.Symlink(content, path); err != nil {
			return err
		}
		return p.give(root, path)
	}
	perm := os.FileMode(0o644)
	if mode == modeExecutable {
		perm = 0o755
	}
	f, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = bytes.NewReader([]byte(content)).WriteTo(f)
	return errors.Join(err, f.Close(), p.give(root, path))
}

// makeParents makes the folders on the way. A file or link there came after
// the snapshot but is ignored, and stays.
func (p *private) makeParents(root *os.Root, path string) error {
	dir := filepath.Dir(path)
	if dir == "." {
		return nil
	}
	made := ""
	for _, name := range strings.Split(dir, string(filepath.Separator)) {
		made = filepath.Join(made, name)
		if isDir(root, filepath.ToSlash(made)) {
			continue
		}
		if err := root.Mkdir(made, 0o755); err != nil {
			return err
		}
		if err := p.give(root, made); err != nil {
			return err
		}
	}
	return nil
}

// give lets root's new files belong to the owner of the working tree.
func (p *private) give(root *os.Root, path string) error {
	uid, gid, err := ownerOf(p.top)
	if err != nil || uid < 0 {
		return err
	}
	return root.Lchown(path, uid, gid)
}
