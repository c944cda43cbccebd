package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
)

// Kind is what a restore does to a path.
type Kind string

// The kinds of change.
const (
	Create Kind = "create" // the snapshot contains it, the workspace does not
	Change Kind = "change" // the two differ
	Remove Kind = "remove" // it was created after the snapshot
)

// PathChange is what a restore does to one path.
type PathChange struct {
	Kind Kind
	Path string // below the workspace, with slashes

	to *node // nil for Remove
}

// Plan is what a restore would do.
type Plan struct {
	Changes []PathChange
	// Refused are changes that are not made, because commands may not write
	// these paths and a restore may not either.
	Refused []PathChange

	modes map[string]uint32 // modes of the snapshot's folders
}

// Restored is what a restore has done.
type Restored struct {
	Plan
	// Before is the snapshot that was taken before restoring. Restoring it
	// undoes the restore.
	Before Snapshot
}

// Preview returns what [Keeper.Restore] would do, without doing it.
//
// Errors: [ErrNotFound], [ErrDamaged], [ErrPlatform], errors of the system.
func (k Keeper) Preview(ctx context.Context, snap Snapshot) (Plan, error) {
	k = k.withDefaults()
	lock, err := k.lock(false)
	if err != nil {
		return Plan{}, err
	}
	defer lock.unlock()
	r, err := k.find(snap)
	if err != nil {
		return Plan{}, err
	}
	return k.plan(ctx, r)
}

// Restore restores the workspace: it restores what was changed or removed, and
// removes what is new. Files that were ignored when the snapshot was taken stay.
// It first takes a snapshot under the same label, so that the restore itself can
// be undone.
//
// If an error is returned together with a Restored, the paths that are not in
// Changes could not be restored.
func (k Keeper) Restore(ctx context.Context, snap Snapshot) (done Restored, err error) {
	k = k.withDefaults()
	lock, err := k.lock(false)
	if err != nil {
		return Restored{}, err
	}
	defer lock.unlock()
	r, err := k.find(snap)
	if err != nil {
		return Restored{}, err
	}
	if done.Before, _, err = k.take(ctx, r.Workspace, r.Label); err != nil {
		return Restored{}, err
	}
	if done.Plan, err = k.plan(ctx, r); err != nil {
		return done, err
	}
	done.Changes, err = k.apply(ctx, r.Workspace, done.Plan)
	return done, err
}

// plan compares the workspace with a snapshot, using the snapshot's rules.
// Removals come first.
func (k Keeper) plan(ctx context.Context, r record) (Plan, error) {
	store := &objects{dir: k.Dir}
	tree, err := store.getTree(r.Tree)
	if err != nil {
		return Plan{}, err
	}
	then := tree.flatten()
	w := newWalker(ctx, k, store, k.loadCache(r.Workspace))
	root, err := w.readThen(r, then)
	if err != nil {
		return Plan{}, fmt.Errorf("snapshot: %w", err)
	}
	now := root.flatten()
	p := Plan{modes: make(map[string]uint32)}
	tree.visit("", func(path string, n *node) {
		if n.kind == folder {
			p.modes[path] = n.mode
		}
	})
	p.compare(r, now, then)
	return p, nil
}

// compare plans the changes that turn the workspace as it is now into what it
// was.
func (p *Plan) compare(r record, now, then map[string]*node) {
	for path := range now {
		if then[path] == nil && !leftOut(r.Skipped, path) {
			p.add(PathChange{Kind: Remove, Path: path})
		}
	}
	for path, n := range then {
		switch have := now[path]; {
		case have == nil:
			p.add(PathChange{Kind: Create, Path: path, to: n})
		case have.kind != n.kind || have.hash != n.hash || have.mode != n.mode:
			p.add(PathChange{Kind: Change, Path: path, to: n})
		}
	}
	order := func(a, b PathChange) int {
		if (a.Kind == Remove) != (b.Kind == Remove) {
			if a.Kind == Remove {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Path, b.Path)
	}
	slices.SortFunc(p.Changes, order)
	slices.SortFunc(p.Refused, order)
}

func (p *Plan) add(c PathChange) {
	if paths.NeverWritten(c.Path) {
		p.Refused = append(p.Refused, c)
		return
	}
	p.Changes = append(p.Changes, c)
}

// leftOut reports whether a snapshot left out a path or a folder above it. The
// path existed then, so it is not new.
func leftOut(skipped []Skip, path string) bool {
	return slices.ContainsFunc(skipped, func(s Skip) bool {
		return path == s.Path || strings.HasPrefix(path, s.Path+"/")
	})
}

// apply makes the changes, and returns those that succeeded.
func (k Keeper) apply(ctx context.Context, workspace string, p Plan) ([]PathChange, error) {
	top, err := openDir(workspace)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	defer top.close()
	self, err := top.stat(".")
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	m := restorer{top: top, owner: ownerFor(self), store: &objects{dir: k.Dir}, modes: p.modes}
	var done []PathChange
	var errs []error
	for _, c := range p.Changes {
		if ctx.Err() != nil {
			return done, errors.Join(append(errs, ctx.Err())...)
		}
		if err := m.change(c); err != nil {
			errs = append(errs, fmt.Errorf("snapshot: %s: %w", c.Path, err))
			continue
		}
		done = append(done, c)
	}
	return done, errors.Join(errs...)
}

// restorer changes a workspace.
type restorer struct {
	top   dir
	owner owner
	store *objects
	modes map[string]uint32
}

func (m restorer) change(c PathChange) error {
	parts := strings.Split(c.Path, "/")
	if c.Kind == Remove {
		return m.remove(parts)
	}
	return m.write(parts, c.to)
}

// remove removes a file, and the folders that become empty.
func (m restorer) remove(parts []string) error {
	for at := len(parts) - 1; at >= 0; at-- {
		d, err := m.top.openPath(parts[:at])
		if err != nil {
			return err
		}
		if at == len(parts)-1 {
			err = d.remove(parts[at])
		} else if d.removeDir(parts[at]) != nil {
			at = 0 // not empty
		}
		d.close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// temporary is the name under which a file is written before it is renamed.
const temporary = ".bridge-restore"

// write restores a file or a link atomically. A folder in its place contains
// files that the snapshot does not know, and stays.
func (m restorer) write(parts []string, n *node) error {
	d, err := m.parents(parts[:len(parts)-1])
	if err != nil {
		return err
	}
	defer d.close()
	name, o := parts[len(parts)-1], m.owner
	if have, err := d.stat(name); err == nil {
		if have.kind == folder {
			return errors.New("a folder with files that the snapshot does not know is in the way; move it")
		}
		o = ownerFor(have)
	}
	_ = d.remove(temporary) // left by a restore that was killed
	if n.kind == link {
		err = m.writeLink(d, n, o)
	} else {
		err = m.writeFile(d, n, o)
	}
	if err == nil {
		err = d.rename(temporary, name)
	}
	if err != nil {
		_ = d.remove(temporary)
	}
	return err
}

func (m restorer) writeLink(d dir, n *node, o owner) error {
	target, err := m.store.get(blobs, n.hash)
	if err != nil {
		return err
	}
	return d.symlink(string(target), temporary, o)
}

func (m restorer) writeFile(d dir, n *node, o owner) error {
	f, err := d.create(temporary)
	if err != nil {
		return err
	}
	err = m.store.copyTo(f, blobs, n.hash)
	if err == nil {
		err = give(f, n.mode, o)
	}
	return errors.Join(err, f.Close())
}

// parents opens the folder of a path, and creates missing folders on the way. A
// file or link on the way is one that the snapshot ignores, and stays.
func (m restorer) parents(parts []string) (dir, error) {
	at, err := m.top.open(".")
	if err != nil {
		return at, err
	}
	for i, name := range parts {
		next, err := at.open(name)
		if errors.Is(err, fs.ErrNotExist) {
			if err = at.mkdir(name, m.folderMode(parts[:i+1]), m.owner); err == nil {
				next, err = at.open(name)
			}
		}
		at.close()
		if err != nil {
			return at, fmt.Errorf("%s is in the way: %w", name, err)
		}
		at = next
	}
	return at, nil
}

// folderMode returns the mode of a folder in the snapshot.
func (m restorer) folderMode(parts []string) uint32 {
	if mode, ok := m.modes[strings.Join(parts, "/")]; ok {
		return mode | 0o700 // otherwise nothing could be created in it
	}
	return 0o755
}
