package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// growth limits how much a command adds to its workspace (and to its private
// folder, if that is on a disk). Checking the free space is cheap, but other
// processes also use and free space on the same disk. The files are therefore
// counted when the free space has shrunk by more than the limit, and also at
// intervals.
type growth struct {
	limit   int64
	started time.Time
	trees   []tree
	next    time.Time // when the files are counted next, whatever the free space
}

// tree is a folder that a command may write to.
type tree struct {
	dir  string
	held int64 // bytes that its files took before the command
	free int64 // free bytes of its file system at the last count
}

const (
	// countEvery is the minimum time between two counts that the free space does
	// not cause.
	countEvery = time.Second
	// countRest is how many times the duration of a count must pass before the
	// next one.
	countRest = 30
)

// newGrowth records the sizes before the command runs. workspace is the count of
// the workspace, or nil if it has not been counted.
func newGrowth(s spec, workspace *counter) *growth {
	g := &growth{limit: s.Growth, started: time.Now()}
	if s.Writable || s.Backend == None {
		if workspace == nil {
			workspace = countTree(s.Workspace, g.started)
		}
		g.trees = append(g.trees, tree{dir: s.Workspace, held: workspace.total()})
	}
	if s.writesLinked() {
		g.trees = append(g.trees, tree{dir: s.Linked.Common, held: countTree(s.Linked.Common, g.started).total()})
	}
	return g
}

// begin is called when the command is about to start. home is its private folder,
// which is new and empty, or "".
func (g *growth) begin(home string) {
	if home != "" {
		g.trees = append(g.trees, tree{dir: home})
	}
	for i := range g.trees {
		g.trees[i].free = freeBytes(g.trees[i].dir)
	}
	g.rest(time.Now())
}

// rest sets the time of the next count, after a count that began at the given
// time.
func (g *growth) rest(began time.Time) {
	now := time.Now()
	g.next = now.Add(max(countEvery, countRest*now.Sub(began)))
}

func freeBytes(dir string) int64 {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0
	}
	return int64(st.Bfree) * st.Bsize // #nosec G115 -- no disk is that large
}

// exceeded reports whether more than the limit was added.
func (g *growth) exceeded(procs []proc) bool {
	began := time.Now()
	if began.Before(g.next) && !g.shrunk() {
		return false
	}
	total := deletedBytes(procs)
	for i := range g.trees {
		t := &g.trees[i]
		added := t.added(g.started, g.limit)
		total += added
		// Space that others use or free does not count, now or later.
		t.free = freeBytes(t.dir) + added
	}
	g.rest(began)
	return total > g.limit
}

// shrunk reports whether a file system has lost more free space than the limit
// since its tree was last counted.
func (g *growth) shrunk() bool {
	for _, t := range g.trees {
		if t.free-freeBytes(t.dir) > g.limit {
			return true
		}
	}
	return false
}

// added returns by how many bytes the tree has grown since the start. If the
// command hid a part of it, the result exceeds the limit.
func (t *tree) added(since time.Time, limit int64) int64 {
	c := countTree(t.dir, since)
	if c.hidden.Load() {
		return max(c.total()-t.held, limit+1)
	}
	return c.total() - t.held
}

// countTree counts the files in a folder and below. The count is zero if the
// folder is gone.
func countTree(dir string, since time.Time) *counter {
	c := newCounter(since)
	if fd, err := unix.Open(dir, folderFlags, 0); err == nil {
		c.count(fd)
	}
	return c
}

// file identifies a file independently of its name.
type file struct{ device, inode uint64 }

// counter adds up the sizes of a tree's files. It walks the tree through open
// folders, because a command can nest them deeper than a path can be long. A nil
// counter counts nothing.
type counter struct {
	since  int64
	bytes  atomic.Int64 // space on the disk
	hidden atomic.Bool  // something that has changed since then could not be read

	mu     sync.Mutex    // guards linked
	linked map[file]bool // files with several names that were counted
}

func newCounter(since time.Time) *counter {
	return &counter{since: since.Add(-time.Second).UnixNano(), linked: map[file]bool{}}
}

// total returns the number of bytes counted.
func (c *counter) total() int64 { return c.bytes.Load() }

// add adds what another reader has counted.
func (c *counter) add(bytes int64) {
	if c != nil {
		c.bytes.Add(bytes)
	}
}

// count counts the files in an open folder and below, and closes the folder.
func (c *counter) count(fd int) {
	defer func() { _ = unix.Close(fd) }()
	entries, err := readFolder(fd)
	if err != nil {
		c.hidden.Store(true)
	}
	for _, e := range entries {
		c.entry(fd, e.name)
	}
}

// entry counts a named entry of an open folder, and everything below it.
func (c *counter) entry(fd int, name string) {
	st, ok := c.countEntry(fd, name)
	if !ok || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return
	}
	sub, err := unix.Openat(fd, name, folderFlags, 0)
	switch {
	case err == nil:
		c.count(sub)
	case errors.Is(err, fs.ErrPermission): // it belongs to somebody else, or the command has closed it
		if st.Ctim.Nano() >= c.since {
			c.hidden.Store(true)
		}
	case !errors.Is(err, fs.ErrNotExist):
		c.hidden.Store(true)
	}
}

// countEntry counts a named entry of an open folder, and nothing below it.
func (c *counter) countEntry(fd int, name string) (st unix.Stat_t, ok bool) {
	if c == nil || unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return st, false
	}
	if st.Nlink <= 1 || st.Mode&unix.S_IFMT == unix.S_IFDIR || c.first(file{st.Dev, st.Ino}) {
		c.bytes.Add(st.Blocks * 512)
	}
	return st, true
}

// first reports whether a file with several names is counted for the first time.
func (c *counter) first(f file) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.linked[f] {
		return false
	}
	c.linked[f] = true
	return true
}

// openFiles calls f for each distinct file that the processes have open.
func openFiles(procs []proc, f func(target string, st *unix.Stat_t)) {
	seen := make(map[file]bool)
	for _, p := range procs {
		dir := "/proc/" + strconv.Itoa(p.pid) + "/fd"
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			path := dir + "/" + e.Name()
			target, err := os.Readlink(path)
			if err != nil || !strings.HasPrefix(target, "/") {
				continue
			}
			var st unix.Stat_t
			if unix.Stat(path, &st) != nil || seen[file{st.Dev, st.Ino}] {
				continue
			}
			seen[file{st.Dev, st.Ino}] = true
			f(target, &st)
		}
	}
}

const memfdPrefix = "/memfd:"

// deletedBytes returns the size of files that have been deleted and are still
// open.
func deletedBytes(procs []proc) (total int64) {
	openFiles(procs, func(target string, st *unix.Stat_t) {
		if strings.HasSuffix(target, " (deleted)") && !strings.HasPrefix(target, memfdPrefix) && st.Mode&unix.S_IFMT == unix.S_IFREG {
			total += st.Blocks * 512
		}
	})
	return total
}

// sharedBytes returns the memory that belongs to no single process: anonymous
// files, and the box's own file systems in memory.
func sharedBytes(procs []proc) (total int64) {
	openFiles(procs, func(target string, st *unix.Stat_t) {
		if strings.HasPrefix(target, memfdPrefix) {
			total += st.Blocks * 512
		}
	})
	for _, p := range procs {
		root := "/proc/" + strconv.Itoa(p.pid) + "/root"
		if _, err := os.Lstat(root + boxInit); err != nil {
			continue // not in the box yet
		}
		for _, dir := range boxTmpfs {
			var st unix.Statfs_t
			if unix.Statfs(root+dir.path, &st) == nil && st.Type == unix.TMPFS_MAGIC {
				total += int64(st.Blocks-st.Bfree) * st.Bsize // #nosec G115 -- bounded by the memory
			}
		}
		break
	}
	return total
}

// boxTmpfs are the file systems in memory of a bubblewrap box. part is the
// divisor of the memory limit that gives the size of each.
var boxTmpfs = []struct {
	path string
	part int64
}{
	{"/tmp", 2},
	{"/dev/shm", 4},
}
