package snapshot

import (
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"

	"example.org/bridge/internal/dirstate"
	"example.org/bridge/internal/guard/paths"
)

// listing is an open folder and its entries.
type listing struct {
	dir   dir
	found []found // ordered by name
	// known is what is remembered of the folder, or nil. same means that the folder
	// still has the same names.
	known *known
	same  bool
	// stamp is zero if a later change of the names might not change it.
	stamp dirstate.Stamp
	read  int64 // when reading it began
	err   error // of opening or reading the folder
}

// found is a name and its metadata. Its kind is 0 if it was removed meanwhile.
type found struct {
	name string
	info
	// hash is the hash of the content, once known. remember means that the hash
	// is valid as long as the metadata is unchanged.
	hash     string
	remember bool
}

// list reads an open folder. The listing closes it.
func (w *walker) list(d dir, path string) *listing {
	l := &listing{dir: d, known: w.cache.old[path], read: w.cache.clock()}
	self, err := d.stamp(&w.trust)
	if err != nil {
		l.err = err
		return l
	}
	if self.Settled(l.read) {
		l.stamp = self
	}
	if l.same = l.known != nil && l.stamp != (dirstate.Stamp{}) && l.stamp == l.known.stamp; l.same {
		l.recall()
	} else {
		l.readNames()
	}
	if l.err == nil {
		l.statAll()
	}
	return l
}

// recall uses the names that are remembered.
func (l *listing) recall() {
	l.found = make([]found, l.known.count())
	for i := range l.found {
		l.found[i].name = l.known.name(i)
	}
}

func (l *listing) readNames() {
	names, err := l.dir.names()
	if err != nil {
		l.err = err
		return
	}
	l.found = make([]found, len(names))
	l.same = l.known != nil && len(names) == l.known.count()
	for i, name := range names {
		l.found[i].name = name
		l.same = l.same && name == l.known.name(i)
	}
}

// find returns the position of a name, and whether it exists.
func (l *listing) find(name string) (int, bool) {
	return slices.BinarySearchFunc(l.found, name, func(f found, name string) int { return strings.Compare(f.name, name) })
}

// has reports whether the folder contains a name.
func (l *listing) has(name string) bool {
	_, ok := l.find(name)
	return ok
}

// statInParallel is the number of names from which several processors read
// metadata.
const statInParallel = 512

// statAll reads the metadata of each name, and recalls the hashes of those that are
// unchanged.
func (l *listing) statAll() {
	n := len(l.found)
	part := n
	if n >= statInParallel {
		part = (n + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	}
	var looking sync.WaitGroup
	for from := part; from < n; from += part {
		looking.Go(func() { l.statRange(from, min(from+part, n)) })
	}
	l.statRange(0, part)
	looking.Wait()
}

func (l *listing) statRange(from, to int) {
	at := from // position in what is remembered
	if !l.same && l.known != nil && from < to {
		at = sort.Search(l.known.count(), func(i int) bool { return l.known.name(i) >= l.found[from].name })
	}
	for i := from; i < to; i++ {
		e := &l.found[i]
		e.info, _ = l.dir.stat(e.name)
		if !l.same {
			for at < l.known.count() && l.known.name(at) < e.name {
				at++
			}
		}
		if at < l.known.count() && (l.same || l.known.name(at) == e.name) {
			e.hash = l.known.hash(at, &e.info)
			e.remember = e.hash != ""
			at++
		}
	}
}

// isKnown reports whether everything remembered of the folder is still valid
// and complete.
func (l *listing) isKnown() bool {
	if !l.same || l.stamp != l.known.stamp {
		return false
	}
	for i := range l.found {
		e := &l.found[i]
		if e.remember != l.known.remembers(i) || e.remember && l.known.hash(i, &e.info) != e.hash {
			return false
		}
	}
	return true
}

// seen returns what another reader of the tree can rely on.
func (l *listing) seen() dirstate.Folder {
	f := dirstate.Folder{Stamp: l.stamp}
	for i := range l.found {
		e := &l.found[i]
		f.Marked = f.Marked || paths.Surveyed(e.name)
		if e.kind == folder {
			f.Folders = append(f.Folders, strings.Clone(e.name)) // so that the cache can be freed
			continue
		}
		f.Blocks += e.blocks
		f.Linked = f.Linked || e.names > 1
	}
	return f
}

// Limits of reading ahead, since each listing holds a file descriptor.
const (
	aheadInFolder = 4
	aheadInAll    = 64
)

// reader opens and reads the subfolders of a folder. It reads a few ahead,
// since reading metadata takes most of the time of a walk.
type reader struct {
	walker *walker
	in     dir
	path   string
	names  []string // names of the subfolders, in the order of the walk
	begun  []func() *listing
	taken  int
}

// next returns the next folder, which the caller closes.
func (r *reader) next() *listing {
	for len(r.begun) < len(r.names) && (len(r.begun) <= r.taken || len(r.begun) <= r.taken+aheadInFolder && r.walker.holding < aheadInAll) {
		r.begin(r.names[len(r.begun)])
	}
	read := r.begun[r.taken]
	r.taken++
	r.walker.holding--
	return read()
}

// begin starts reading a folder in the background. A caller that needs it
// before that has started reads it itself.
func (r *reader) begin(name string) {
	read := sync.OnceValue(func() *listing {
		d, err := r.in.open(name)
		if err != nil {
			return &listing{dir: d, err: err}
		}
		return r.walker.list(d, join(r.path, name))
	})
	if len(r.begun) > r.taken {
		go read()
	}
	r.begun = append(r.begun, read)
	r.walker.holding++
}

// close closes the listings that were read ahead but not used.
func (r *reader) close() {
	for ; r.taken < len(r.begun); r.taken++ {
		r.walker.holding--
		r.begun[r.taken]().dir.close()
	}
}
