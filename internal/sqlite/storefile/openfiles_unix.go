//go:build unix

package storefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/bridge"
)

// fileID tells one file from another, whatever its name.
type fileID struct {
	device, inode uint64
	size          int64
}

// identifyFile inspects a name. It opens nothing: closing any descriptor of a
// file drops the locks that SQLite has on it in this process (fcntl(2)).
func identifyFile(name string) (fileID, error) {
	var stat unix.Stat_t
	if err := unix.Stat(name, &stat); err != nil {
		return fileID{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return fileID{uint64(stat.Dev), uint64(stat.Ino), stat.Size}, nil //nolint:unconvert // not the same types everywhere
}

func (f fileID) same(other fileID) bool { return f.device == other.device && f.inode == other.inode }

// openLog opens the log to look at. SQLite has no locks on that file.
func openLog(name string) (*os.File, error) { return os.Open(name) }

// logIndex is the index of a log, open to look at. SQLite's locks are on that
// file and go when the process closes any descriptor of it, so this one is
// shared by all stores of the process, and closed behind the last of them.
type logIndex struct {
	file   *os.File
	id     fileID
	users  int
	stores int // users that are open stores, and not just looking
}

// indexes are the open ones. They are the process's because locks are.
var indexes struct {
	sync.Mutex
	open []*logIndex
}

func openIndex(name string) (*logIndex, error) {
	indexes.Lock()
	defer indexes.Unlock()
	id, err := identifyFile(name)
	if err != nil {
		return nil, err
	}
	for _, i := range indexes.open {
		if i.id.same(id) {
			i.users++
			return i, nil
		}
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	i := &logIndex{file: file, id: id, users: 1}
	indexes.open = append(indexes.open, i)
	return i, nil
}

func (i *logIndex) release() error {
	indexes.Lock()
	defer indexes.Unlock()
	if i.users--; i.users > 0 {
		return nil
	}
	for n, other := range indexes.open {
		if other == i {
			indexes.open = append(indexes.open[:n], indexes.open[n+1:]...)
			break
		}
	}
	return i.file.Close()
}

// count notes that a store was opened or closed.
func (i *logIndex) count(stores int) {
	indexes.Lock()
	defer indexes.Unlock()
	i.stores += stores
}

func (i *logIndex) matches(log *os.File) bool { return ends(i.file, log) }

func (i *logIndex) pages() int64 { return pagesOf(i.file) }

// aliveByte is the byte of the index that every process holds a shared lock on
// as long as it has the index open, and writeByte is locked for writing in each
// write transaction (https://www.sqlite.org/walformat.html, section 2.3).
const (
	writeByte     = 120
	firstReadByte = 123
	aliveByte     = 128
)

// holder returns the other process that has a lock on a byte of the index, and
// false where none has or the system does not tell.
func (i *logIndex) holder(at int64) (pid int, held bool) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: 0, Start: at, Len: 1}
	if err := unix.FcntlFlock(i.file.Fd(), unix.F_GETLK, &lock); err != nil || lock.Type == unix.F_UNLCK {
		return 0, false
	}
	return int(lock.Pid), true
}

// CheckRunning reports, as ErrStoreGone, a store whose log does not fit the
// index that other processes are using just now: they have lost it, and opening
// it would lose more. Without them SQLite makes a new index from the log. Call
// release when the store is open or given up.
func CheckRunning(path string) (release func(), err error) {
	names := fileNames(path)
	index, err := openIndex(names[indexFile])
	if err != nil {
		return func() {}, nil // without an index nobody has it open
	}
	release = func() { _ = index.release() }
	if _, running := index.holder(aliveByte); !running {
		return release, nil
	}
	log, err := os.Open(names[logFile])
	if errors.Is(err, fs.ErrNotExist) {
		return release, goneUnder(names[logFile])
	}
	if err != nil {
		return release, Unwritable(err)
	}
	defer func() { _ = log.Close() }()
	if !index.matches(log) {
		return release, goneUnder(names[logFile])
	}
	return release, nil
}

func goneUnder(name string) error {
	return fmt.Errorf("%w: %s does not fit the running processes: stop all bridge processes, then start them again", bridge.ErrStoreGone, name)
}

// Running reports that the store at path is open in some process.
func Running(path string) bool {
	index, err := openIndex(fileNames(path)[indexFile])
	if err != nil {
		return false
	}
	defer func() { _ = index.release() }()
	indexes.Lock()
	ours := index.stores > 0
	indexes.Unlock()
	_, others := index.holder(aliveByte)
	return ours || others
}

// LogReaders returns the processes that have a transaction open that reads from
// the log. Only a process that does not have the store open itself may ask.
func LogReaders(path string) (all []bridge.Holder) {
	index, err := openIndex(fileNames(path)[indexFile])
	if err != nil {
		return nil
	}
	defer func() { _ = index.release() }()
	seen := map[int]bool{}
	for at := int64(firstReadByte); at < aliveByte; at++ {
		pid, held := index.holder(at)
		if !held || seen[pid] {
			continue
		}
		seen[pid] = true
		name, stopped := program(pid)
		all = append(all, bridge.Holder{PID: pid, Program: name, Stopped: stopped})
	}
	return all
}
