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

// place is a path below the top of a workspace that matters to the sandbox, and
// the identity of the file or folder there.
type place struct {
	path   string
	inode  uint64
	device uint64
	link   bool
	dir    bool
}

// survey lists what matters to the sandbox in a workspace, at every depth.
type survey struct {
	// protected are the entries with a protected name. Their contents are not
	// surveyed.
	protected []place
	// heads are the files named HEAD that make their folder a repository.
	heads []place
	// env are regular files that contain a project's secrets.
	env []string
	// closed are folders that may be entered but not read.
	closed map[string]bool
	// folders need not be read again as long as they have not changed.
	folders *dirstate.Seen
}

// surveyWorkspace reads the names in the whole tree without following links. It
// skips a folder that cannot be read, and anything so deep that no path leads to
// it. If it returns an error, everything else has been read. It counts the files
// into held, unless that is nil. Folders in seen that have not changed are not
// read again; if the files are counted, the folders that were read are added to
// seen.
func surveyWorkspace(top string, seen *dirstate.Seen, held *counter) (survey, error) {
	s := surveyor{top: top, held: held}
	s.folders = seen
	return s.run()
}

// surveyAfter surveys the workspace after a run, given the survey before it. A
// folder that the command has made unreadable is opened again, because programs
// outside may obey files in it by their names.
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

// maxReaders is the maximum number of folders that are read at the same time.
const maxReaders = 4

// surveyor reads a tree. It opens each folder relative to its open parent,
// because a command can nest folders deeper than a path can be long.
type surveyor struct {
	top     string
	before  *survey
	held    *counter
	spare   chan struct{} // its free capacity is the number of further readers that may be started
	readers sync.WaitGroup
	trust   dirstate.Trust

	mu sync.Mutex // guards the fields below
	survey
	err error // the first error
}

// read surveys the open folder at rel, and closes it.
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
	// The entry is only for the survey after the run, which counts no files. Linked
	// makes a survey that counts read the folder again.
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

// known returns what was seen of a folder, if only its subfolders matter.
func (s *surveyor) known(self *unix.Stat_t) (*dirstate.Folder, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.folders.Find(dirstate.StampOf(self))
	return f, ok && !f.Marked && (s.held == nil || !f.Linked)
}

// entry surveys an entry of an open folder, and adds to found what it is.
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

// reachable reports whether a path is short enough to open the entry below the
// workspace.
func (s *surveyor) reachable(path string) bool { return len(s.top)+len(path) <= unix.PathMax-2 }

// folder surveys a subfolder of an open folder, in another goroutine if a reader
// is free.
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

// isLeaf counts a subfolder of an open folder, and reports whether nothing in it
// needs to be read.
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

// note calls found under the lock, to record a finding.
func (s *surveyor) note(found func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found()
}

// enter opens a subfolder of an open folder.
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

// ownRights gives the owner all rights to a subfolder of an open folder.
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

// fail records an error, unless it means that a folder below the top is
// unreadable or gone.
func (s *surveyor) fail(err error, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && (path == "" || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist)) {
		s.err = fmt.Errorf("folder %.100q: %w", path, err)
	}
}

// addEnv records a file of secrets. A link cannot be covered, so its target is
// recorded instead if that lies in the workspace. Targets outside cannot be
// reached by the command.
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

// isBare reports whether git treats a folder with these entries as a repository
// (is_git_directory in git's setup.c looks for HEAD, and for objects and refs
// either next to it or at the path in commondir).
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

// placeIn returns the place of a name in an open folder.
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
