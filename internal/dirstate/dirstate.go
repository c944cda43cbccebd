// Package dirstate decides when earlier information about a folder is still valid,
// and passes it from one reader of a tree to the next.
//
// # The rule
//
// As long as a folder's inode and its change and modification times are the same
// (inode(7)), it has the same entries, with the same names and referring to the
// same files: adding, removing and renaming an entry sets both times, and no
// program can set the change time. The rule does not cover the content of the
// files. It changes without affecting the folder, so each file still has to be
// checked.
//
// Two things can break the rule. A change within the same tick of the file system's
// clock as the reading leaves the times as they were, so only times that were old
// enough when the folder was read are accepted ([Settled]). And a file system may
// report times other than its own, such as those of another machine, cached for
// seconds; so only file systems known to be reliable are accepted ([Trust]).
package dirstate

import "time"

// Stamp distinguishes a folder from other folders, and from itself with other
// entries. The times are in nanoseconds. No folder has the zero Stamp.
type Stamp struct {
	Device, Inode     uint64
	Modified, Changed int64
}

// Settled reports whether every later change of a folder with these times must
// give it different ones. The folder was read from the time read on, in
// nanoseconds.
func (s Stamp) Settled(read int64) bool {
	return Settled(s.Modified, read) && Settled(s.Changed, read)
}

const (
	// fineGrain is longer than a tick of any kernel's clock.
	fineGrain = 100 * time.Millisecond
	// coarseGrain is longer than the two seconds of the coarsest file system times
	// (FAT; ext4 with small inodes has one second).
	coarseGrain = 3 * time.Second
)

// Settled reports whether the time t of a file is old enough that every later
// change gives a different one. The file was read from the time read on, in
// nanoseconds. A time in whole seconds may come from a file system with coarse
// times.
func Settled(t, read int64) bool {
	grain := fineGrain
	if t%int64(time.Second) == 0 {
		grain = coarseGrain
	}
	return t <= read-int64(grain)
}

// Folder is the result of reading a folder.
type Folder struct {
	Stamp Stamp
	// Folders are the names of its subfolders, in order.
	Folders []string
	// Marked means that it contains a name that the reader looks for, so that the
	// next reader has to read it too.
	Marked bool
	// Linked means that a file in it has several hard links.
	Linked bool
	// Blocks is the disk space of its files, in bytes, without the files in
	// Folders.
	Blocks int64
}

// Seen holds the folders of a tree that were read and can be relied on. A nil or zero
// Seen holds none. While it grows, it is not safe for concurrent use.
type Seen struct {
	folders []Folder
	names   int // bytes of the names in them
	index   map[inode]int
}

type inode struct{ device, number uint64 }

// Limits of the memory used: the number of folders, and the bytes of their names.
// Folders beyond them are read again.
const (
	maxSeen  = 1 << 17
	maxNames = 16 << 20
)

// Add adds a folder.
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

// Find returns what was found in the folder with this stamp, if it still has
// the same entries.
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

// Len returns the number of folders.
func (s *Seen) Len() int {
	if s == nil {
		return 0
	}
	return len(s.folders)
}
