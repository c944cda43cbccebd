package snapshot

import (
	"runtime"
	"sync"
)

// listing is an open folder and what stands in it.
type listing struct {
	dir   dir
	names []string // in order
	infos []looked // of names
	err   error    // of opening or reading the folder
}

// looked is what stat said of a name.
type looked struct {
	info info
	err  error
}

// list reads a folder that is open. The listing closes it.
func list(d dir) listing {
	l := listing{dir: d}
	if l.names, l.err = d.names(); l.err == nil {
		l.infos = statAll(d, l.names)
	}
	return l
}

// has reports whether a name stands in the folder.
func (l listing) has(name string) bool {
	for _, n := range l.names {
		if n == name {
			return true
		}
	}
	return false
}

// statAtOnce is from how many names on more than one processor looks at them.
const statAtOnce = 512

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

// Bounds of what is read ahead: each listing holds a descriptor.
const (
	aheadInFolder = 4
	aheadInAll    = 64
)

// reader opens and reads the folders within one folder. It reads a few ahead,
// since looking at files takes most of the time of a walk.
type reader struct {
	in      dir
	names   []string // of the folders, in the order of the walk
	begun   []func() listing
	taken   int
	holding *int // how many listings are begun and not taken, of the whole walk
}

// next returns the next folder, which the caller closes.
func (r *reader) next() listing {
	for len(r.begun) < len(r.names) && (len(r.begun) <= r.taken || len(r.begun) <= r.taken+aheadInFolder && *r.holding < aheadInAll) {
		r.begin(r.names[len(r.begun)])
	}
	read := r.begun[r.taken]
	r.taken++
	*r.holding--
	return read()
}

// begin starts to read a folder. Who needs it before that has begun reads it.
func (r *reader) begin(name string) {
	read := sync.OnceValue(func() listing {
		d, err := r.in.open(name)
		if err != nil {
			return listing{dir: d, err: err}
		}
		return list(d)
	})
	if len(r.begun) > r.taken {
		go read()
	}
	r.begun = append(r.begun, read)
	*r.holding++
}

// close closes what was read and not taken.
func (r *reader) close() {
	for ; r.taken < len(r.begun); r.taken++ {
		*r.holding--
		r.begun[r.taken]().dir.close()
	}
}
