package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// growth bounds what a command adds to its workspace (and to its private folder
// where that is on a disk). Looking at the free space is cheap, but others use
// the disk too: only when it has shrunk by more than the limit are the files
// counted that changed since the start.
type growth struct {
	limit   int64
	started time.Time
	dirs    []string
	free    []int64 // of each folder's file system, at the start
}

func newGrowth(s spec) *growth {
	g := &growth{limit: s.Growth, started: time.Now(), dirs: []string{s.Workspace}}
	if s.Home != "" {
		g.dirs = append(g.dirs, s.Home)
	}
	if s.writesLinked() {
		g.dirs = append(g.dirs, s.Linked.Common)
	}
	for _, dir := range g.dirs {
		g.free = append(g.free, freeBytes(dir))
	}
	return g
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
	over := false
	for i, dir := range g.dirs {
		over = over || g.free[i]-freeBytes(dir) > g.limit
	}
	if !over {
		return false
	}
	total := deletedBytes(procs)
	for i, dir := range g.dirs {
		added := g.added(dir)
		total += added
		// What others have used does not count, now and later.
		g.free[i] = freeBytes(dir) + added
	}
	return total > g.limit
}

// added counts the files below dir that changed since the start, with all of
// their size: how large they were before is not known. Where the command hid some,
// the count is no less than the limit.
func (g *growth) added(dir string) int64 {
	c := counter{since: g.started.Add(-time.Second).UnixNano()}
	fd, err := unix.Open(dir, folderFlags, 0)
	if err != nil {
		return 0
	}
	c.count(fd)
	if c.hidden {
		return max(c.total, g.limit+1)
	}
	return c.total
}

// counter walks by open folders: a command can nest them deeper than a path can
// say.
type counter struct {
	since  int64
	total  int64
	hidden bool // something could not be looked at that changed since
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
		changed := st.Ctim.Nano() >= c.since
		if st.Mode&unix.S_IFMT != unix.S_IFDIR {
			if changed {
				c.total += st.Blocks * 512
			}
			continue
		}
		sub, err := unix.Openat(fd, name, folderFlags, 0)
		switch {
		case err == nil:
			c.count(sub)
		case errors.Is(err, fs.ErrPermission): // somebody else's, or closed by the command
			c.hidden = c.hidden || changed
		case !errors.Is(err, fs.ErrNotExist):
			c.hidden = true
		}
	}
}

// openFiles calls f for each distinct file that the processes have open.
func openFiles(procs []proc, f func(target string, st *unix.Stat_t)) {
	type id struct{ dev, ino uint64 }
	seen := make(map[id]bool)
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
			if unix.Stat(path, &st) != nil || seen[id{st.Dev, st.Ino}] {
				continue
			}
			seen[id{st.Dev, st.Ino}] = true
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
