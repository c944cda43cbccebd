//go:build unix

package storefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

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
	err := unix.Stat(name, &stat)
	for errors.Is(err, unix.EINTR) { // a signal came between, on some file systems
		err = unix.Stat(name, &stat)
	}
	if err != nil {
		return fileID{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return fileID{uint64(stat.Dev), uint64(stat.Ino), stat.Size}, nil //nolint:unconvert // not the same types everywhere
}

func (f fileID) same(other fileID) bool { return f.device == other.device && f.inode == other.inode }

// openLog opens the log to look at. SQLite has no locks on that file.
func openLog(name string) (*os.File, error) { return os.Open(name) }

// logIndex is a file that SQLite has locks on, the index of a log or the database, open
// to look at. The locks go when the process closes any descriptor of the file, so this
// one is shared by all stores of the process, and closed after the last of them.
type logIndex struct {
	file   *os.File
	past   past
	id     fileID
	users  int
	stores int // users that are open stores, and not just looking
}

// indexes are the open ones. They are the process's because locks are.
var indexes struct {
	sync.Mutex
	open []*logIndex
}

// mainHeadSize is how much of a database nothing changes while it is open: what it calls
// itself, the size of its pages, and that it has a log
// (https://www.sqlite.org/fileformat.html, section 1.3).
const mainHeadSize = 20

// mainHead is the beginning of a database, as it was when the store was opened.
type mainHead struct {
	*logIndex
	was [mainHeadSize]byte
}

// openMain notes how the database of that name begins.
func openMain(name string) (*mainHead, error) {
	file, err := openIndex(name)
	if err != nil {
		return nil, err
	}
	m := &mainHead{logIndex: file}
	if _, err := file.file.ReadAt(m.was[:], 0); err != nil {
		return nil, errors.Join(err, m.release())
	}
	return m, nil
}

// changed reports that the database begins in another way than it did, or is cut off
// there. An error of the disk says nothing about that.
func (m *mainHead) changed() bool {
	var now [mainHeadSize]byte
	if _, err := m.file.ReadAt(now[:], 0); err != nil {
		return errors.Is(err, io.EOF)
	}
	return now != m.was
}

func (m *mainHead) release() error {
	if m == nil {
		return nil
	}
	return m.logIndex.release()
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

func (i *logIndex) matches(log *os.File) bool {
	return ends(i.file, log) == fits && !i.wentBack(log)
}

func (i *logIndex) wentBack(log *os.File) bool { return i.past.wentBack(i.file, log) }

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

// CheckRunning tries so often, with a pause in between, while others open or close
// the store: for a second or two in all.
const (
	runningChecks = 1000
	runningPause  = time.Millisecond
)

// CheckRunning reports, as ErrStoreGone, a store whose log does not fit the
// index that other processes are using just now: they have lost it, and opening
// it would lose more. Without them SQLite makes a new index from the log. Call
// release when the store is open or given up.
//
// The last process that closes a store removes both files, and the next makes new
// ones, an empty index first; one that finds an index which nobody uses empties it and
// fills it again. So a log that does not fit counts only while the index that was read
// is still the store's, in use, and had a header when the two were compared; else it is
// checked again. An index that stays without one was emptied.
func CheckRunning(path string) (release func(), err error) {
	names := fileNames(path)
	for range runningChecks {
		index, openErr := openIndex(names[indexFile])
		if openErr != nil {
			return func() {}, nil //nolint:nilerr // without an index nobody has it open
		}
		release = func() { _ = index.release() }
		if !index.running() {
			return release, nil
		}
		found, logErr := fitOfLog(names[logFile], index)
		if logErr != nil {
			return release, logErr
		}
		if found == fits {
			return release, nil
		}
		if found == differs && index.isAt(names[indexFile]) && index.running() {
			return release, goneUnder(names[logFile])
		}
		release()
		time.Sleep(runningPause)
	}
	return func() {}, goneUnder(names[logFile])
}

// running reports that another process has the index open.
func (i *logIndex) running() bool {
	_, held := i.holder(aliveByte)
	return held
}

// isAt reports that the index is the file of that name.
func (i *logIndex) isAt(name string) bool {
	now, err := identifyFile(name)
	return err == nil && i.id.same(now)
}

// fitOfLog compares the log of that name with its index. A log that is not there fits
// only an index without a header.
func fitOfLog(name string, index *logIndex) (fit, error) {
	log, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return index.fitWithoutLog(), nil
	}
	if err != nil {
		return differs, Unwritable(err)
	}
	defer func() { _ = log.Close() }()
	return ends(index.file, log), nil
}

// fitWithoutLog is how the index goes together with a log that is not there.
func (i *logIndex) fitWithoutLog() fit {
	var header indexHeader
	if _, whole := header.read(i.file); !whole {
		return emptied
	}
	return differs
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
	return ours || index.running()
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
