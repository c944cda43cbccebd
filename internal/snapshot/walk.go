package snapshot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/dirstate"
	"example.org/bridge/internal/guard/paths"
)

// walker reads a workspace.
type walker struct {
	ctx   context.Context
	max   int64 // maximum size of a file
	total int64 // maximum size of what is new
	store *objects
	cache *cache
	// dry hashes files but stores none.
	dry bool
	// fixed means that the lists are given, and none are read on the way.
	fixed   bool
	base    string // the workspace below the repository's top
	byBase  map[string]rules
	exclude rules
	read    []ruleFile
	tracked tracked
	holding int // listings that are read ahead; see reader
	trust   dirstate.Trust
	seen    *dirstate.Seen
	text    []byte // buffer for a tree, reused
	skipped []Skip
}

func newWalker(ctx context.Context, k Keeper, store *objects, c *cache) *walker {
	return &walker{ctx: ctx, max: k.MaxFile, total: k.MaxTotal, store: store, cache: c, byBase: map[string]rules{}, seen: new(dirstate.Seen)}
}

// readNow reads the workspace by its own rules, and stores what it finds.
func (w *walker) readNow(top string, r repository) (*node, []ruleFile, error) {
	w.base = r.prefix
	if r.exclude != "" {
		w.exclude = parseRules("", r.exclude)
		if err := w.note(ruleFile{Exclude: true}, r.exclude); err != nil {
			return nil, nil, err
		}
	}
	var lists []rules
	base := ""
	for i, path := range r.above {
		if i > 0 {
			base = join(base, lastOf(path))
		}
		d, err := openDir(path)
		if err != nil {
			continue
		}
		list, err := w.readRules(d, base)
		d.close()
		if err != nil {
			return nil, nil, err
		}
		lists = append(lists, list)
	}
	w.tracked = newTracked(below(r.tracked, r.prefix))
	root, err := w.walk(top, lists)
	return root, w.read, err
}

func lastOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// below returns the paths that are below a folder, relative to it.
func below(paths []string, folder string) []string {
	if folder == "" {
		return paths
	}
	var in []string
	for _, p := range paths {
		if rest, ok := strings.CutPrefix(p, folder+"/"); ok {
			in = append(in, rest)
		}
	}
	return in
}

// readThen reads the workspace by the rules of a snapshot. Files in the snapshot are
// read whatever the rules are. Nothing is stored.
func (w *walker) readThen(r record, has map[string]*node) (*node, error) {
	w.fixed, w.dry = true, true
	w.base = findRepository(r.Workspace).prefix
	var above []rules
	for _, f := range r.Rules {
		text, err := w.store.get(blobs, f.Blob)
		if err != nil {
			return nil, err
		}
		list := parseRules(f.Base, string(text))
		switch {
		case f.Exclude:
			w.exclude = list
		case w.base != "" && f.Base != w.base && !strings.HasPrefix(f.Base, w.base+"/"):
			above = append(above, list)
		default:
			w.byBase[f.Base] = list
		}
	}
	kept := slices.Clone(r.Absent)
	for path := range has {
		kept = append(kept, path)
	}
	slices.Sort(kept)
	w.tracked = newTracked(slices.Compact(kept))
	return w.walk(r.Workspace, above)
}

func (w *walker) walk(top string, above []rules) (*node, error) {
	d, err := openDir(top)
	if err != nil {
		return nil, err
	}
	root := &node{kind: folder}
	lists := append([]rules{w.exclude}, above...)
	in := place{lists: lists, tracked: w.tracked.all()}
	return root, w.folder(w.list(d, ""), in, root)
}

// place is the position of a folder in the workspace.
type place struct {
	path    string  // below the workspace
	lists   []rules // that apply there
	tracked span    // what is tracked below it
	only    bool    // only tracked files are read
}

// under returns the path of a name in the folder.
func (p *place) under(name string) string { return join(p.path, name) }

// folder reads the content of l into n, and closes l. In a folder that is
// ignored, or that is a repository of its own, it reads only tracked files.
func (w *walker) folder(l *listing, in place, n *node) error {
	defer l.dir.close()
	if err := errors.Join(w.ctx.Err(), l.err); err != nil {
		return err
	}
	list, err := w.rulesOf(l, in.path)
	if err != nil {
		return err
	}
	if len(list.patterns) > 0 {
		in.lists = append(in.lists[:len(in.lists):len(in.lists)], list)
	}
	if err := w.children(l, &in, n); err != nil {
		return err
	}
	n.empty = len(n.children) == 0
	if w.dry {
		return nil
	}
	w.cache.note(in.path, l)
	w.seen.Add(l.seen())
	if n.empty && in.path != "" {
		return nil
	}
	return w.keepTree(n)
}

// children reads those entries of l that are kept.
func (w *walker) children(l *listing, in *place, n *node) (err error) {
	entries := w.choose(l, in)
	folders := reader{walker: w, in: l.dir, path: in.path, names: foldersOf(entries)}
	defer folders.close()
	nodes := make([]node, len(entries))
	n.children = make([]*node, 0, len(entries))
	for i, e := range entries {
		var kept bool
		nodes[i] = node{name: e.name, kind: e.kind, mode: e.mode}
		if e.kind == folder {
			kept, err = w.subfolder(folders.next(), e, in, &nodes[i])
		} else {
			kept, err = w.entry(l.dir, e, in, &nodes[i])
		}
		if err != nil {
			return err
		}
		if kept {
			n.children = append(n.children, &nodes[i])
		}
	}
	return nil
}

// keepTree stores a folder whose entries are all stored, and releases them.
func (w *walker) keepTree(n *node) (err error) {
	w.text = n.appendText(w.text[:0])
	n.hash, err = w.store.put(trees, w.text)
	n.children = nil
	return err
}

// entry is a name that is read.
type entry struct {
	*found
	// only marks a folder in which only tracked files are read.
	only bool
}

// choose returns the names in a folder that are read.
func (w *walker) choose(l *listing, in *place) []entry {
	entries := make([]entry, 0, len(l.found))
	judge := judgement{lists: in.lists, base: w.base, folder: in.path}
	for i := range l.found {
		e := &l.found[i]
		if isGit(e.name) {
			if e.name != ".git" {
				w.skip(in.under(e.name), "named like a repository")
			}
			continue
		}
		if e.kind == 0 {
			continue // it was removed meanwhile
		}
		isFolder := e.kind == folder
		only := in.only || judge.ignored(e.name, isFolder)
		if !only || isFolder && !w.tracked.below(in.tracked, e.name).empty() || !isFolder && w.tracked.find(in.tracked, e.name) >= 0 {
			entries = append(entries, entry{found: e, only: only})
		}
	}
	return entries
}

// isGit reports whether a name is .git, ignoring case.
func isGit(name string) bool { return strings.HasPrefix(name, ".") && paths.Fold(name) == ".git" }

func foldersOf(entries []entry) []string {
	var names []string
	for _, e := range entries {
		if e.kind == folder {
			names = append(names, e.name)
		}
	}
	return names
}

// entry reads a name that is not a folder into n, and reports whether it is kept.
func (w *walker) entry(d dir, e entry, in *place, n *node) (kept bool, err error) {
	switch e.kind {
	case file:
		err = w.file(d, e.found, in, n)
	case link:
		err = w.link(d, e.found, in, n)
	default:
		w.skip(in.under(e.name), "neither a file nor a link")
	}
	if (n.kind == special || n.kind == unread) && !w.dry {
		return false, err
	}
	w.tracked.mark(in.tracked, e.name)
	return true, err
}

func (w *walker) subfolder(l *listing, e entry, in *place, n *node) (kept bool, err error) {
	if l.dir.fd < 0 {
		w.skip(in.under(e.name), "it cannot be opened: "+plainError(l.err))
		return false, nil
	}
	at := place{path: in.under(e.name), lists: in.lists, tracked: w.tracked.below(in.tracked, e.name), only: e.only}
	if l.has(".git") {
		w.skip(at.path, "a repository of its own")
		if at.only = true; !w.dry {
			l.dir.close()
			return false, nil
		}
	}
	err = w.folder(l, at, n)
	return !n.empty, err
}

// file hashes a file, and stores it.
func (w *walker) file(d dir, e *found, in *place, n *node) error {
	n.size = e.size
	if e.hash != "" {
		n.hash = e.hash
		return nil
	}
	if e.size > w.max {
		return w.unread(n, in.under(e.name), fmt.Sprintf("larger than %d MiB", w.max>>20))
	}
	if w.store.added+e.size > w.total {
		return w.unread(n, in.under(e.name), "too large in total")
	}
	f, now, err := d.openFile(e.name)
	if err != nil {
		return w.unread(n, in.under(e.name), "it cannot be opened: "+plainError(err))
	}
	defer func() { _ = f.Close() }()
	began, written := w.cache.clock(), openForWriting(f)
	n.mode = now.mode
	if w.dry {
		n.hash, n.size, err = hashReader(f, w.max)
	} else {
		n.hash, n.size, err = w.store.keepFile(f, now.size, w.max)
	}
	if err != nil {
		return err
	}
	e.info, e.hash, e.remember = now, n.hash, !written && now.settled(began)
	return nil
}

func (w *walker) unread(n *node, path, why string) error {
	w.skip(path, why)
	n.kind = unread
	return nil
}

// link stores the target of a link. Unlike a file, a link is never changed but
// only replaced, so the metadata from before reading it is valid.
func (w *walker) link(d dir, e *found, in *place, n *node) error {
	n.mode = 0o777
	if e.hash != "" {
		n.hash = e.hash
		return nil
	}
	began := w.cache.clock()
	target, err := d.readlink(e.name)
	if err != nil {
		return w.unread(n, in.under(e.name), "it cannot be read: "+plainError(err))
	}
	if w.dry {
		n.hash = hashOf([]byte(target))
		return nil
	}
	n.hash, err = w.store.put(blobs, []byte(target))
	e.hash, e.remember = n.hash, e.settled(began)
	return err
}

func (w *walker) skip(path, why string) {
	w.skipped = append(w.skipped, Skip{Path: path, Why: why})
}

// rulesOf returns the list that applies to a folder.
func (w *walker) rulesOf(l *listing, rel string) (rules, error) {
	base := join2(w.base, rel)
	if w.fixed {
		return w.byBase[base], nil
	}
	if l.has(".gitignore") {
		return w.readRules(l.dir, base)
	}
	return rules{}, nil
}

// readRules reads a folder's .gitignore. If it is not a regular file, there is
// no list.
func (w *walker) readRules(d dir, base string) (rules, error) {
	text, err := readSmall(d, ".gitignore", maxRules)
	if err != nil {
		return rules{}, nil //nolint:nilerr // see above
	}
	return parseRules(base, string(text)), w.note(ruleFile{Base: base}, string(text))
}

// note adds a list to the snapshot.
func (w *walker) note(f ruleFile, text string) (err error) {
	if f.Blob, err = w.store.put(blobs, []byte(text)); err != nil {
		return err
	}
	w.read = append(w.read, f)
	return nil
}

// join2 joins two paths, either of which may be empty.
func join2(a, b string) string {
	if b == "" {
		return a
	}
	return join(a, b)
}

// plainError returns the error without the path, which the message contains
// already.
func plainError(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
