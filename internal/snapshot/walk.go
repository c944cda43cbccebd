package snapshot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.org/bridge/internal/guard/paths"
)

// walker reads a workspace.
type walker struct {
	ctx   context.Context
	max   int64 // size of a file
	total int64 // of what is new
	store *objects
	cache *cache
	// dry hashes files and keeps none.
	dry bool
	// fixed means that lists were given, and none are read on the way.
	fixed   bool
	base    string // the workspace below the repository's top
	byBase  map[string]rules
	exclude rules
	read    []ruleFile
	// tracked are the paths below the workspace that are kept though they are
	// ignored, and whether each was found. trackedDirs are the folders on the way
	// to them.
	tracked     map[string]bool
	trackedDirs map[string]bool
	found       int // of tracked
	holding     int // listings, see reader
	skipped     []Skip
}

func newWalker(ctx context.Context, k Keeper, store *objects, c *cache) *walker {
	return &walker{ctx: ctx, max: k.MaxFile, total: k.MaxTotal, store: store, cache: c, byBase: map[string]rules{}}
}

// present reads the workspace by its own rules, and keeps what it finds.
func (w *walker) present(top string, r repository) (*node, []ruleFile, error) {
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
	w.setTracked(below(r.tracked, r.prefix))
	root, err := w.walk(top, lists)
	return root, w.read, err
}

func lastOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// below returns those paths that lie in a folder, from there.
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

func (w *walker) setTracked(tracked []string) {
	w.tracked, w.trackedDirs = make(map[string]bool, len(tracked)), make(map[string]bool)
	for _, p := range tracked {
		w.tracked[p] = false
		for i := strings.LastIndexByte(p, '/'); i > 0; i = strings.LastIndexByte(p[:i], '/') {
			if w.trackedDirs[p[:i]] {
				break
			}
			w.trackedDirs[p[:i]] = true
		}
	}
}

// maxAbsent bounds the list below: a sparse checkout lacks most of what git
// tracks.
const maxAbsent = 10_000

// absent returns what git tracks and was not found.
func (w *walker) absent() []string {
	if n := len(w.tracked) - w.found; n == 0 || n > maxAbsent {
		return nil
	}
	var gone []string
	for path, found := range w.tracked {
		if !found {
			gone = append(gone, path)
		}
	}
	slices.Sort(gone)
	return gone
}

// past reads the workspace by the rules of a snapshot, whose files are looked at
// whatever the rules say. Nothing is kept.
func (w *walker) past(r record, has map[string]*node) (*node, error) {
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
	tracked := slices.Clone(r.Absent)
	for path := range has {
		tracked = append(tracked, path)
	}
	w.setTracked(tracked)
	return w.walk(r.Workspace, above)
}

func (w *walker) walk(top string, above []rules) (*node, error) {
	d, err := openDir(top)
	if err != nil {
		return nil, err
	}
	root := &node{kind: folder}
	lists := append([]rules{w.exclude}, above...)
	return root, w.folder(list(d), "", root, lists, false)
}

// folder reads what is in l into n, and closes it. In a folder that is ignored,
// or that is a repository of its own, only tracked files are looked at.
func (w *walker) folder(l listing, rel string, n *node, lists []rules, only bool) error {
	defer l.dir.close()
	if err := errors.Join(w.ctx.Err(), l.err); err != nil {
		return err
	}
	list, err := w.rulesOf(l, rel)
	if err != nil {
		return err
	}
	if len(list.patterns) > 0 {
		lists = append(lists[:len(lists):len(lists)], list)
	}
	entries := w.choose(l, rel, lists, only)
	folders := reader{in: l.dir, names: foldersOf(entries), holding: &w.holding}
	defer folders.close()
	nodes := make([]node, len(entries))
	n.children = make([]*node, 0, len(entries))
	for i, e := range entries {
		var kept bool
		nodes[i] = node{name: e.name, kind: e.info.kind, mode: e.info.mode}
		if e.info.kind == folder {
			kept, err = w.subfolder(folders.next(), e, &nodes[i], lists)
		} else {
			kept, err = w.entry(l.dir, e, &nodes[i])
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

// entry is a name that is looked at.
type entry struct {
	name, path string
	info       info
	// only marks a folder in which only tracked files are looked at.
	only bool
}

// choose returns what is looked at in a folder.
func (w *walker) choose(l listing, rel string, lists []rules, only bool) []entry {
	entries := make([]entry, 0, len(l.names))
	for i, name := range l.names {
		path := join(rel, name)
		if paths.Fold(name) == ".git" {
			if name != ".git" {
				w.skip(path, "named like a repository")
			}
			continue
		}
		if l.infos[i].err != nil {
			continue // it has gone meanwhile
		}
		e := entry{name: name, path: path, info: l.infos[i].info}
		isFolder := e.info.kind == folder
		e.only = only || ignored(lists, join2(w.base, path), isFolder)
		if !e.only || isFolder && w.trackedDirs[path] || !isFolder && w.isTracked(path) {
			entries = append(entries, e)
		}
	}
	return entries
}

func (w *walker) isTracked(path string) bool {
	_, tracked := w.tracked[path]
	return tracked
}

func foldersOf(entries []entry) []string {
	var names []string
	for _, e := range entries {
		if e.info.kind == folder {
			names = append(names, e.name)
		}
	}
	return names
}

// entry looks at one name that is no folder, and says whether it is kept as n.
func (w *walker) entry(d dir, e entry, n *node) (kept bool, err error) {
	switch e.info.kind {
	case file:
		err = w.file(d, e, n)
	case link:
		err = w.link(d, e, n)
	default:
		w.skip(e.path, "neither a file nor a link")
	}
	if (n.kind == special || n.kind == unread) && !w.dry {
		return false, err
	}
	if w.isTracked(e.path) {
		w.tracked[e.path] = true
		w.found++
	}
	return true, err
}

func (w *walker) subfolder(l listing, e entry, n *node, lists []rules) (kept bool, err error) {
	if l.dir.fd < 0 {
		w.skip(e.path, "it cannot be opened: "+plainError(l.err))
		return false, nil
	}
	only := e.only
	if l.has(".git") {
		w.skip(e.path, "a repository of its own")
		if only = true; !w.dry {
			l.dir.close()
			return false, nil
		}
	}
	err = w.folder(l, e.path, n, lists, only)
	return err == nil && len(n.children) > 0, err
}

// file hashes a file, and keeps it.
func (w *walker) file(d dir, e entry, n *node) error {
	path, i := e.path, e.info
	n.size = i.size
	if hash, ok := w.cache.find(path, i); ok {
		n.hash = hash
		return nil
	}
	if i.size > w.max {
		return w.unread(n, path, fmt.Sprintf("larger than %d MiB", w.max>>20))
	}
	if w.store.added+i.size > w.total {
		return w.unread(n, path, "too much in all")
	}
	f, now, err := d.openFile(e.name)
	if err != nil {
		return w.unread(n, path, "it cannot be opened: "+plainError(err))
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
	if written {
		w.cache.changed = true
		return nil
	}
	w.cache.add(path, now, n.hash, began)
	return nil
}

func (w *walker) unread(n *node, path, why string) error {
	w.skip(path, why)
	n.kind = unread
	return nil
}

func (w *walker) link(d dir, e entry, n *node) error {
	target, err := d.readlink(e.name)
	if err != nil {
		return w.unread(n, e.path, "it cannot be read: "+plainError(err))
	}
	n.mode = 0o777
	if w.dry {
		n.hash = hashOf([]byte(target))
		return nil
	}
	n.hash, err = w.store.put(blobs, []byte(target))
	return err
}

func (w *walker) skip(path, why string) {
	w.skipped = append(w.skipped, Skip{Path: path, Why: why})
}

// rulesOf returns the list that holds in a folder.
func (w *walker) rulesOf(l listing, rel string) (rules, error) {
	base := join2(w.base, rel)
	if w.fixed {
		return w.byBase[base], nil
	}
	if l.has(".gitignore") {
		return w.readRules(l.dir, base)
	}
	return rules{}, nil
}

// readRules reads a folder's .gitignore. Anything but a file there is no list.
func (w *walker) readRules(d dir, base string) (rules, error) {
	text, err := readSmall(d, ".gitignore", maxRules)
	if err != nil {
		return rules{}, nil //nolint:nilerr // see above
	}
	return parseRules(base, string(text)), w.note(ruleFile{Base: base}, string(text))
}

// note keeps a list with the snapshot.
func (w *walker) note(f ruleFile, text string) (err error) {
	if f.Blob, err = w.store.put(blobs, []byte(text)); err != nil {
		return err
	}
	w.read = append(w.read, f)
	return nil
}

// join2 joins two paths of which either may be empty.
func join2(a, b string) string {
	if b == "" {
		return a
	}
	return join(a, b)
}

// plainError is what went wrong without the path, which is said already.
func plainError(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
