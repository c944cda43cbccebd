package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/dirstate"
	"example.org/bridge/internal/guard/paths"
)

// place is something that matters in a workspace: a path below its top, and
// which file or folder has it.
type place struct {
	path   string
	inode  uint64
	device uint64
	link   bool
	dir    bool
}

// survey is what matters in a workspace, at every depth.
type survey struct {
	// protected are the entries with a protected name. What lies in one is not
	// looked at.
	protected []place
	// heads are the files named HEAD that make their folder a repository.
	heads []place
	// env are regular files with a project's secrets.
	env []string
	// closed are folders that may be entered, and not be read.
	closed map[string]bool
	// folders are those that need not be read again as long as they look the same.
	folders *dirstate.Seen
}

// surveyWorkspace reads the names of the whole tree, and follows no link. A
// folder that cannot be read is passed over, and so is what lies so deep that no
// path leads to it. With an error, the rest was read. The files are counted on the
// way, unless held is nil. What was seen of folders that are as they were is not
// looked at again; more is added to it where the files are counted.
func surveyWorkspace(top string, seen *dirstate.Seen, held *counter) (survey, error) {
	s := surveyor{top: top, held: held}
	s.folders = seen
	return s.run()
}

// surveyAfter is surveyWorkspace after a run, given what was found before it: a
// folder that the command closed to reading is opened again, since what lies in it
// could be obeyed by its name.
func surveyAfter(top string, before *survey) (survey, error) {
	s := surveyor{top: top, before: before}
	s.folders = before.folders
	return s.run()
}

func (s *surveyor) run() (survey, error) {
	s.closed = map[string]bool{}
	s.spare = make(chan struct{}, min(maxReaders, runtime.GOMAXPROCS(0))-1)
	fd, err := unix.Open(s.top, folderFlags, 0)
	if err != nil {
		return survey{}, fmt.Errorf("reading the workspace: %w", err)
	}
	s.read(fd, "")
	s.readers.Wait()
	slices.SortFunc(s.protected, func(a, b place) int { return strings.Compare(a.path, b.path) })
	slices.Sort(s.env)
	if s.err != nil {
		return s.survey, fmt.Errorf("reading the workspace: %w", s.err)
	}
	return s.survey, nil
}

const folderFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC

// maxReaders is how many folders are read at once, at most.
const maxReaders = 4

// surveyor reads a tree, each folder from the open one above it: a command can
// nest folders deeper than a path can say.
type surveyor struct {
	top     string
	before  *survey
	held    *counter
	spare   chan struct{} // has room for as many readers as may be started
	readers sync.WaitGroup
	trust   dirstate.Trust

	mu sync.Mutex // guards the rest
	survey
	err error // one of them
}

// read looks at the folder at rel, which is open, and closes it.
func (s *surveyor) read(fd int, rel string) {
	defer func() { _ = unix.Close(fd) }()
	var self unix.Stat_t
	began := time.Now()
	if err := unix.Fstat(fd, &self); err != nil {
		s.fail(err, rel)
		return
	}
	if f, ok := s.known(&self); ok {
		s.held.add(f.Blocks)
		for _, name := range f.Folders {
			s.folder(fd, name, filepath.Join(rel, name))
		}
		return
	}
	entries, err := readFolder(fd)
	if err != nil {
		s.fail(err, rel)
		return
	}
	// It is for the look after the run, which counts nothing: by Linked.
	found := dirstate.Folder{Linked: true}
	if now := dirstate.StampOf(&self); now.Settled(began.UnixNano()) && s.trust.Folder(fd, now.Device) {
		found.Stamp = now
	}
	if isBare(entries) {
		head := placeIn(fd, bareHead, filepath.Join(rel, bareHead))
		s.note(func() { s.heads = append(s.heads, head) })
	}
	for _, e := range entries {
		s.entry(fd, e, filepath.Join(rel, e.name), &found)
	}
	if s.held != nil {
		s.note(func() { s.folders.Add(found) })
	}
}

// known returns what was seen of a folder, if nothing in it matters but the folders.
func (s *surveyor) known(self *unix.Stat_t) (*dirstate.Folder, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.folders.Find(dirstate.StampOf(self))
	return f, ok && !f.Marked && (s.held == nil || !f.Linked)
}

// entry looks at what has a path, by its name in an open folder, of which it
// writes down what is found.
func (s *surveyor) entry(fd int, e dirent, path string, found *dirstate.Folder) {
	isFolder, matters := e.isFolder(fd), paths.Surveyed(e.name)
	found.Marked = found.Marked || matters
	if isFolder {
		found.Folders = append(found.Folders, e.name)
	}
	switch {
	case matters && paths.IsProtectedName(e.name) && s.reachable(path):
		p := placeIn(fd, e.name, path)
		s.note(func() { s.protected = append(s.protected, p) })
		s.held.entry(fd, e.name)
	case isFolder:
		s.folder(fd, e.name, path)
	default:
		s.held.entry(fd, e.name)
		if matters && secretEnv(e.name) && s.reachable(path) {
			s.note(func() { s.addEnv(s.top, path) })
		}
	}
}

// reachable reports whether a path leads to what lies in the workspace under it.
func (s *surveyor) reachable(path string) bool { return len(s.top)+len(path) <= unix.PathMax-2 }

// folder looks at a folder in an open one, beside this if there is a reader to spare.
func (s *surveyor) folder(fd int, name, path string) {
	if !s.reachable(path) {
		s.held.entry(fd, name)
		return
	}
	if s.isLeaf(fd, name) {
		return
	}
	sub, err := s.enter(fd, name, path)
	if err != nil {
		s.fail(err, path)
		return
	}
	select {
	case s.spare <- struct{}{}:
		s.readers.Go(func() {
			defer func() { <-s.spare }()
			s.read(sub, path)
		})
	default:
		s.read(sub, path)
	}
}

// isLeaf counts a folder in an open one, and reports whether nothing in it is left
// to be looked at.
func (s *surveyor) isLeaf(fd int, name string) bool {
	if s.held == nil && s.folders.Len() == 0 {
		return false
	}
	var st unix.Stat_t
	if unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return false
	}
	s.held.add(st.Blocks * 512)
	f, ok := s.known(&st)
	if !ok || len(f.Folders) > 0 {
		return false
	}
	s.held.add(f.Blocks)
	return true
}

// note writes down what was found.
func (s *surveyor) note(found func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found()
}

// enter opens a folder in an open one.
func (s *surveyor) enter(fd int, name, path string) (int, error) {
	sub, err := unix.Openat(fd, name, folderFlags, 0)
	if !errors.Is(err, unix.EACCES) {
		return sub, err
	}
	if s.before == nil || s.before.closed[path] {
		s.note(func() { s.closed[path] = true })
		return sub, err
	}
	if chmodErr := ownRights(fd, name); chmodErr != nil {
		return sub, err
	}
	return unix.Openat(fd, name, folderFlags, 0)
}

// ownRights gives the owner all rights to a folder in an open one.
func ownRights(fd int, name string) error {
	at, err := unix.Openat(fd, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(at) }()
	var st unix.Stat_t
	if err := unix.Fstat(at, &st); err != nil {
		return err
	}
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(at), st.Mode&0o7777|0o700)
}

// fail notes an error, unless it means that a folder below the top may not be
// read, or is gone.
func (s *surveyor) fail(err error, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && (path == "" || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist)) {
		s.err = fmt.Errorf("folder %.100q: %w", path, err)
	}
}

// addEnv notes a file of secrets. A link cannot be covered, so that its target
// is, where that lies in the workspace; others are out of reach.
func (s *survey) addEnv(top, path string) {
	target, err := filepath.EvalSymlinks(filepath.Join(top, path))
	if err != nil || !within(top, target) {
		return
	}
	if info, err := os.Lstat(target); err != nil || !info.Mode().IsRegular() {
		return
	}
	if rel, err := filepath.Rel(top, target); err == nil && !slices.Contains(s.env, rel) {
		s.env = append(s.env, rel)
	}
}

// isBare reports whether git takes a folder with these entries for a repository
// (is_git_directory in git's setup.c looks for HEAD, and for objects and refs
// beside it or where commondir says).
func isBare(entries []dirent) bool {
	var head, objects, refs, common bool
	for _, e := range entries {
		switch e.name {
		case bareHead:
			head = true
		case "objects":
			objects = true
		case "refs":
			refs = true
		case "commondir":
			common = true
		}
	}
	return head && (objects && refs || common)
}

// placeIn looks at a name in an open folder.
func placeIn(fd int, name, path string) place {
	p := place{path: path}
	var st unix.Stat_t
	if unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
		p.inode, p.device = st.Ino, st.Dev
		p.link = st.Mode&unix.S_IFMT == unix.S_IFLNK
		p.dir = st.Mode&unix.S_IFMT == unix.S_IFDIR
	}
	return p
}

func placeOf(top, path string) place {
	return placeIn(unix.AT_FDCWD, filepath.Join(top, path), path)
}
