// Package dirstate says when what was once read of a folder still holds, and hands
// that from one reader of a tree to the next.
//
// # The rule
//
// A folder has the entries that it had, under the same names and each the same
// file, as long as its inode and its times of change and modification are the same
// (inode(7)): adding, removing and renaming an entry sets both, and no program can
// set the time of change. What stands in the files is another matter: it changes
// without the folder, so that each file has to be looked at.
//
// Two things can break the rule. A change in the same tick of the file system's
// clock as the reading leaves the times as they were: only times that were old
// enough when the folder was read are taken ([Settled]). And a file system may give
// other times than its own, such as one of another machine's that keeps them for
// seconds: only those that are known for it are taken ([Trust]).
package dirstate

import "time"

// Stamp tells a folder from another one, and from itself with other entries. The
// times are in nanoseconds. The zero value is not a folder's.
type Stamp struct {
	Device, Inode     uint64
	Modified, Changed int64
}

// Settled reports whether a folder with these times that was read from the given
// time on, in nanoseconds, gets other ones by every later change.
func (s Stamp) Settled(read int64) bool {
	return Settled(s.Modified, read) && Settled(s.Changed, read)
}

const (
	// fineGrain is more than a tick of any kernel's clock.
	fineGrain = 100 * time.Millisecond
	// coarseGrain is more than the steps of two seconds in which some file systems
	// keep times (FAT; one second is that of ext4 with small inodes).
	coarseGrain = 3 * time.Second
)

// Settled reports whether a time of a file that was read from the given time on, in
// nanoseconds, is so old that every later change gives another one. A time of
// whole seconds may be of a file system that knows no others.
func Settled(t, read int64) bool {
	grain := fineGrain
	if t%int64(time.Second) == 0 {
		grain = coarseGrain
	}
	return t <= read-int64(grain)
}

// Folder is what one look at a folder found.
type Folder struct {
	Stamp Stamp
	// Folders are the names of the folders in it, in order.
	Folders []string
	// Marked means that it has a name which the reader is looking for, so that the
	// next one has to read it too.
	Marked bool
	// Linked means that a file in it has several names.
	Linked bool
	// Blocks is what its files take, without those of Folders, in bytes.
	Blocks int64
}

// Seen are the folders of a tree that were looked at, and that may be relied on. The
// zero value and nil have none. It is not safe for use by several goroutines while it
// grows.
type Seen struct {
	folders []Folder
	names   int // bytes of the names in them
	index   map[inode]int
}

type inode struct{ device, number uint64 }

// Bounds of the memory that it takes: folders, and bytes of names in them. What does
// not fit is read again.
const (
	maxSeen  = 1 << 17
	maxNames = 16 << 20
)

// Add notes a folder.
func (s *Seen) Add(f Folder) {
	if s == nil || len(s.folders) == maxSeen || f.Stamp == (Stamp{}) {
		return
	}
	names := 0
	for _, name := range f.Folders {
		names += len(name)
	}
	if s.names+names > maxNames {
		return
	}
	s.names += names
	if s.index == nil {
		s.index = make(map[inode]int)
	}
	s.index[inode{f.Stamp.Device, f.Stamp.Inode}] = len(s.folders)
	s.folders = append(s.folders, f)
}

// Find returns what was found in the folder that looks like this now, if its
// entries are still those.
func (s *Seen) Find(now Stamp) (*Folder, bool) {
	if s == nil {
		return nil, false
	}
	at, ok := s.index[inode{now.Device, now.Inode}]
	if !ok || s.folders[at].Stamp != now {
		return nil, false
	}
	return &s.folders[at], true
}

// Len is how many folders there are.
func (s *Seen) Len() int {
	if s == nil {
		return 0
	}
	return len(s.folders)
}
