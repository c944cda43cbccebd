package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// growth bounds what a command adds to its workspace (and to its private folder
// where that is on a disk). Looking at the free space is cheap, but others take
// and give back space on the same disk: the files are counted when it has shrunk
// by more than the limit, and from time to time however it stands.
type growth struct {
	limit   int64
	started time.Time
	trees   []tree
	next    time.Time     // when the files are counted next in any case
	held    []int64       // bytes that each tree took before the command, once ready
	ready   chan struct{} // closed when the trees were counted for the first time
}

// tree is a folder that a command may write to.
type tree struct {
	dir  string
	free int64 // bytes left on its file system when it was last counted
}

const (
	// firstCount is how long a command waits until its workspace is counted.
	firstCount = 40 * time.Millisecond
	// countEvery is the least time between two counts for which the free space
	// gives no reason.
	countEvery = time.Second
	// countRest is how many times as long as a count took is waited for the next.
	countRest = 30
)

// newGrowth begins to count what there is before the command.
func newGrowth(s spec) *growth {
	g := &growth{limit: s.Growth, started: time.Now(), ready: make(chan struct{})}
	if s.Writable || s.Backend == None {
		g.trees = append(g.trees, tree{dir: s.Workspace})
	}
	if s.writesLinked() {
		g.trees = append(g.trees, tree{dir: s.Linked.Common})
	}
	held := make([]int64, len(g.trees))
	g.held = held
	go func(trees []tree) {
		defer close(g.ready)
		for i, t := range trees {
			held[i] = countBefore(t.dir, g.started)
		}
	}(slices.Clone(g.trees))
	return g
}

// begin waits until that is counted, or for firstCount: of what a command has changed by
// then, nothing counts as held before. The command starts then. home is its private
// folder, new and empty, or "".
func (g *growth) begin(home string) {
	select {
	case <-g.ready:
	case <-time.After(firstCount):
	}
	if home != "" {
		g.trees = append(g.trees, tree{dir: home})
	}
	for i := range g.trees {
		g.trees[i].free = freeBytes(g.trees[i].dir)
	}
	g.rest(g.started)
}

// rest sets the time of the next count after one that began at the given time.
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
	select {
	case <-g.ready:
	default:
		return false // a very large tree: it is looked at when it was counted
	}
	began := time.Now()
	if began.Before(g.next) && !g.shrunk() {
		return false
	}
	total := deletedBytes(procs)
	for i := range g.trees {
		t := &g.trees[i]
		added := t.added(g.started, g.limit, g.before(i))
		total += added
		// What others take or give back does not count, now and later.
		t.free = freeBytes(t.dir) + added
	}
	g.rest(began)
	return total > g.limit
}

// before is what a tree took before the command: nothing, if it is its private folder.
func (g *growth) before(i int) int64 {
	if i < len(g.held) {
		return g.held[i]
	}
	return 0
}

// shrunk reports whether a file system has lost more than the limit since its
// tree was last counted.
func (g *growth) shrunk() bool {
	for _, t := range g.trees {
		if t.free-freeBytes(t.dir) > g.limit {
			return true
		}
	}
	return false
}

// added is by how much the tree has grown since the start. Where the command hid
// a part, it is no less than the limit.
func (t *tree) added(since time.Time, limit, held int64) int64 {
	c := countTree(t.dir, since)
	if c.hidden {
		return max(c.total-held, limit+1)
	}
	return c.total - held
}

// countTree counts what lies in a folder and below; nothing if it is gone.
func countTree(dir string, since time.Time) counter {
	c := counter{since: since.Add(-time.Second).UnixNano(), linked: map[file]bool{}}
	fd, err := unix.Open(dir, folderFlags, 0)
	if err == nil {
		c.count(fd)
	}
	return c
}

// countBefore counts what has not changed since the start.
func countBefore(dir string, start time.Time) int64 {
	c := counter{since: start.UnixNano(), unchanged: true, linked: map[file]bool{}}
	if fd, err := unix.Open(dir, folderFlags, 0); err == nil {
		c.count(fd)
	}
	return c.total
}

// file is a file of whatever name.
type file struct{ device, inode uint64 }

// counter walks by open folders: a command can nest them deeper than a path can
// say.
type counter struct {
	since  int64
	total  int64         // bytes on the disk
	linked map[file]bool // files of several names that were counted
	// unchanged counts only what has not changed since then.
	unchanged bool
	hidden    bool // something could not be looked at that changed since
}

// count looks at an open folder, and closes it.
func (c *counter) count(fd int) {
	f := os.NewFile(uintptr(fd), ".") // #nosec G115 -- a descriptor
	defer func() { _ = f.Close() }()
	names, err := f.Readdirnames(-1)
	c.hidden = c.hidden || err != nil && !errors.Is(err, fs.ErrNotExist)
	for _, name := range names {
		var st unix.Stat_t
		if unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
			continue
		}
		c.add(&st)
		if st.Mode&unix.S_IFMT != unix.S_IFDIR {
			continue
		}
		sub, err := unix.Openat(fd, name, folderFlags, 0)
		switch {
		case err == nil:
			c.count(sub)
		case errors.Is(err, fs.ErrPermission): // somebody else's, or closed by the command
			c.hidden = c.hidden || st.Ctim.Nano() >= c.since
		case !errors.Is(err, fs.ErrNotExist):
			c.hidden = true
		}
	}
}

func (c *counter) add(st *unix.Stat_t) {
	if c.unchanged && st.Ctim.Nano() > c.since {
		return
	}
	if st.Nlink > 1 && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		id := file{st.Dev, st.Ino}
		if c.linked[id] {
			return
		}
		c.linked[id] = true
	}
	c.total += st.Blocks * 512
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

// deletedBytes counts files that have no name any more and are still open.
func deletedBytes(procs []proc) (total int64) {
	openFiles(procs, func(target string, st *unix.Stat_t) {
		if strings.HasSuffix(target, " (deleted)") && !strings.HasPrefix(target, memfdPrefix) && st.Mode&unix.S_IFMT == unix.S_IFREG {
			total += st.Blocks * 512
		}
	})
	return total
}

// sharedBytes counts memory that belongs to no process alone: anonymous files,
// and the box's own file systems in memory.
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

// boxTmpfs are the file systems in memory of a bubblewrap box, with the part of
// the limit that each may take.
var boxTmpfs = []struct {
	path string
	part int64
}{
	{"/tmp", 2},
	{"/dev/shm", 4},
}
