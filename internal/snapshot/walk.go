package snapshot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

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
	// ignored, and within those that are not looked at otherwise, the folders
	// on the way to them.
	tracked     map[string]bool
	trackedDirs map[string]bool
	skipped     []Skip
}

func newWalker(ctx context.Context, k Keeper, store *objects, c *cache) *walker {
	return &walker{ctx: ctx, max: k.MaxFile, total: k.MaxTotal, store: store, cache: c, byBase: map[string]rules{}}
}

// present reads the workspace by its own rules, and keeps what it finds.
func (w *walker) present(top string) (*node, []ruleFile, error) {
	r := findRepository(top)
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
		w.tracked[p] = true
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
func (w *walker) absent(root *node) []string {
	if len(w.tracked) == 0 {
		return nil
	}
	there := root.flatten()
	gone := maps.Clone(w.tracked)
	maps.DeleteFunc(gone, func(path string, _ bool) bool { return there[path] != nil })
	if len(gone) > maxAbsent {
		return nil
	}
	return slices.Sorted(maps.Keys(gone))
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
	defer d.close()
	root := &node{kind: folder}
	lists := append([]rules{w.exclude}, above...)
	return root, w.folder(d, "", root, lists, false)
}

// folder reads what is in d into n. In a folder that is ignored, or that is a
// repository of its own, only tracked files are looked at.
func (w *walker) folder(d dir, rel string, n *node, lists []rules, only bool) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	names, err := d.names()
	if err != nil {
		return err
	}
	list, err := w.rulesOf(d, rel, names)
	if err != nil {
		return err
	}
	if len(list.patterns) > 0 {
		lists = append(lists[:len(lists):len(lists)], list)
	}
	infos := statAll(d, names)
	nodes := make([]node, len(names))
	n.children = make([]*node, 0, len(names))
	for i, name := range names {
		if paths.Fold(name) == ".git" {
			if name != ".git" {
				w.skip(join(rel, name), "named like a repository")
			}
			continue
		}
		if infos[i].err != nil {
			continue // it has gone meanwhile
		}
		kept, err := w.entry(d, name, join(rel, name), infos[i].info, &nodes[i], lists, only)
		if err != nil {
			return err
		}
		if kept {
			n.children = append(n.children, &nodes[i])
		}
	}
	return nil
}

// looked is what stat said of a name.
type looked struct {
	info info
	err  error
}

// statAtOnce is from how many names on more than one processor looks at them.
const statAtOnce = 32

// statAll looks at names in a folder.
func statAll(d dir, names []string) []looked {
	all := make([]looked, len(names))
	part := len(names)
	if n := runtime.GOMAXPROCS(0); part >= statAtOnce {
		part = (part + n - 1) / n
	}
	var looking sync.WaitGroup
	for from := part; from < len(names); from += part {
		looking.Go(func() { statSome(d, names, all, from, min(from+part, len(names))) })
	}
	statSome(d, names, all, 0, part)
	looking.Wait()
	return all
}

func statSome(d dir, names []string, all []looked, from, to int) {
	for i := from; i < to; i++ {
		all[i].info, all[i].err = d.stat(names[i])
	}
}

// entry looks at one name, and says whether it is kept as n.
func (w *walker) entry(d dir, name, path string, i info, n *node, lists []rules, only bool) (kept bool, err error) {
	isFolder := i.kind == folder
	skip := only || ignored(lists, join2(w.base, path), isFolder)
	*n = node{name: name, kind: i.kind, mode: i.mode}
	switch {
	case isFolder && (!skip || w.trackedDirs[path]):
		return w.subfolder(d, name, path, n, lists, skip)
	case isFolder || skip && !w.tracked[path]:
		return false, nil
	}
	switch i.kind {
	case file:
		err = w.file(d, name, path, n, i)
	case link:
		err = w.link(d, name, path, n)
	default:
		w.skip(path, "neither a file nor a link")
	}
	if (n.kind == special || n.kind == unread) && !w.dry {
		return false, err
	}
	return true, err
}

func (w *walker) subfolder(d dir, name, path string, n *node, lists []rules, only bool) (kept bool, err error) {
	sub, err := d.open(name)
	if err != nil {
		w.skip(path, "it cannot be opened: "+plainError(err))
		return false, nil
	}
	defer sub.close()
	if _, err := sub.stat(".git"); err == nil {
		w.skip(path, "a repository of its own")
		if only = true; !w.dry {
			return false, nil
		}
	}
	err = w.folder(sub, path, n, lists, only)
	return err == nil && len(n.children) > 0, err
}

// file hashes a file, and keeps it.
func (w *walker) file(d dir, name, path string, n *node, i info) error {
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
	f, now, err := d.openFile(name)
	if err != nil {
		return w.unread(n, path, "it cannot be opened: "+plainError(err))
	}
	defer func() { _ = f.Close() }()
	began := w.cache.clock()
	n.mode = now.mode
	if w.dry {
		n.hash, n.size, err = hashReader(f, w.max)
	} else {
		n.hash, n.size, err = w.store.keepFile(f, now.size, w.max)
	}
	if err != nil {
		return err
	}
	w.cache.add(path, now, n.hash, began)
	return nil
}

func (w *walker) unread(n *node, path, why string) error {
	w.skip(path, why)
	n.kind = unread
	return nil
}

func (w *walker) link(d dir, name, path string, n *node) error {
	target, err := d.readlink(name)
	if err != nil {
		return w.unread(n, path, "it cannot be read: "+plainError(err))
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
func (w *walker) rulesOf(d dir, rel string, names []string) (rules, error) {
	base := join2(w.base, rel)
	if w.fixed {
		return w.byBase[base], nil
	}
	for _, name := range names {
		if name == ".gitignore" {
			return w.readRules(d, base)
		}
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
