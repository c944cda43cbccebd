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

// fileID identifies a file independently of its name.
type fileID struct {
	device, inode uint64
	size          int64
}

// identifyFile identifies the file that a name refers to. It does not open the file:
// closing any descriptor of a file drops the locks that SQLite has on it in this
// process (fcntl(2)).
func identifyFile(name string) (fileID, error) {
	var stat unix.Stat_t
	err := unix.Stat(name, &stat)
	for errors.Is(err, unix.EINTR) { // interrupted by a signal, which happens on some file systems
		err = unix.Stat(name, &stat)
	}
	if err != nil {
		return fileID{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return fileID{uint64(stat.Dev), uint64(stat.Ino), stat.Size}, nil //nolint:unconvert // not the same types everywhere
}

func (f fileID) same(other fileID) bool { return f.device == other.device && f.inode == other.inode }

// openLog opens the log for reading. SQLite has no locks on that file.
func openLog(name string) (*os.File, error) { return os.Open(name) }

// logIndex is a file on which SQLite has locks, the index of a log or the database,
// opened for reading. The locks are dropped when the process closes any descriptor of
// the file, so all stores of the process share this one, and it is closed after the
// last of them.
type logIndex struct {
	file   *os.File
	past   past
	id     fileID
	users  int
	stores int // users that are open stores, as opposed to short checks
}

// indexes are the open ones, for the whole process because locks belong to the process.
var indexes struct {
	sync.Mutex
	open []*logIndex
}

// mainHeadSize is the number of bytes at the beginning of a database that do not change
// while it is open: the format's name, the page size, and the file format versions
// (https://www.sqlite.org/fileformat.html, section 1.3).
const mainHeadSize = 20

// mainHead is the beginning of a database as it was when the store was opened.
type mainHead struct {
	*logIndex
	was [mainHeadSize]byte
}

// openMain reads the beginning of the database of that name.
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

// changed reports whether the beginning of the database has changed or was cut off.
// Other read errors do not count.
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

// count records that a store was opened or closed.
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

// aliveByte is the byte of the index on which every process holds a shared lock while
// it has the index open. writeByte is locked exclusively in each write transaction
// (https://www.sqlite.org/walformat.html, section 2.3).
const (
	writeByte     = 120
	firstReadByte = 123
	aliveByte     = 128
)

// holder returns the other process that has a lock on a byte of the index. It returns
// false if there is none or if the system does not tell.
func (i *logIndex) holder(at int64) (pid int, held bool) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: 0, Start: at, Len: 1}
	if err := unix.FcntlFlock(i.file.Fd(), unix.F_GETLK, &lock); err != nil || lock.Type == unix.F_UNLCK {
		return 0, false
	}
	return int(lock.Pid), true
}

// CheckRunning checks this often, with a pause in between, while other processes open
// or close the store: for a second or two in all.
const (
	runningChecks = 1000
	runningPause  = time.Millisecond
)

// CheckRunning returns ErrStoreGone if the log does not fit the index that other
// processes are using. They have lost the log, and opening the store would lose more.
// Without such processes SQLite rebuilds the index from the log. Call release when the
// store is open or given up.
//
// The last process that closes a store removes both files, and the next one creates new
// ones, starting with an empty index. A process that finds an index in use by nobody
// truncates and refills it. So a log that does not fit is reported only if the index
// that was compared is still the store's, is in use, and had a header at the time;
// otherwise the check is repeated. An index that stays without a header was truncated.
func CheckRunning(path string) (release func(), err error) {
	names := fileNames(path)
	for range runningChecks {
		index, openErr := openIndex(names[indexFile])
		if openErr != nil {
			return func() {}, nil //nolint:nilerr // without an index no process has the store open
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

// running reports whether another process has the index open.
func (i *logIndex) running() bool {
	_, held := i.holder(aliveByte)
	return held
}

// isAt reports whether the name still refers to the index.
func (i *logIndex) isAt(name string) bool {
	now, err := identifyFile(name)
	return err == nil && i.id.same(now)
}

// fitOfLog compares the log of that name with its index. A missing log fits only an
// index without a header.
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

// fitWithoutLog compares the index with a missing log.
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

// Running reports whether any process has the store at path open.
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

// LogReaders returns the processes with an open transaction that reads from the log. It
// must only be called in a process that does not have the store open.
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
