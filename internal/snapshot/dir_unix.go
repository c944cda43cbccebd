//go:build unix

package snapshot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// dir is an open folder. Everything in it is opened by a single name, without
// following links.
type dir struct{ fd int }

// info is the relevant part of a file's metadata.
type info struct {
	kind         kind
	mode         uint32 // permissions
	names        uint32 // number of hard links
	uid, gid     uint32
	size, blocks int64 // size, and space on the disk, both in bytes
	inode, dev   uint64
	mtime, ctime int64 // nanoseconds
}

const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC

// openDir opens a folder by its real path.
func openDir(path string) (dir, error) {
	fd, err := unix.Open(path, dirFlags, 0)
	if err != nil {
		return dir{-1}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return dir{fd}, nil
}

func (d dir) close() { _ = unix.Close(d.fd) }

// open opens a folder in d.
func (d dir) open(name string) (dir, error) {
	fd, err := unix.Openat(d.fd, name, dirFlags, 0)
	return dir{fd}, err
}

// openPath opens the folder at a path below d, with slashes.
func (d dir) openPath(path []string) (dir, error) {
	at, err := d.open(".")
	for _, name := range path {
		if err != nil {
			return at, err
		}
		var next dir
		next, err = at.open(name)
		at.close()
		at = next
	}
	return at, err
}

// direntsAtOnce is how many bytes of directory entries are read at a time.
const direntsAtOnce = 8 << 10

// names lists the names in d, in order.
func (d dir) names() ([]string, error) {
	if _, err := unix.Seek(d.fd, 0, io.SeekStart); err != nil {
		return nil, err
	}
	var buf [direntsAtOnce]byte
	var names []string
	for {
		n, err := unix.ReadDirent(d.fd, buf[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.ENOENT) { // the folder was removed meanwhile
			return nil, nil
		}
		if err != nil || n <= 0 {
			slices.Sort(names)
			return names, err
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}

// stat returns the metadata of a name in d.
func (d dir) stat(name string) (info, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return info{}, err
	}
	return infoOf(&st), nil
}

func infoOf(st *unix.Stat_t) info {
	i := info{
		mode: uint32(st.Mode) & 0o777, size: st.Size, inode: uint64(st.Ino), dev: uint64(st.Dev), //nolint:unconvert // they differ between systems
		mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(), uid: st.Uid, gid: st.Gid,
		names: uint32(st.Nlink), blocks: st.Blocks * 512,
	}
	switch uint32(st.Mode) & unix.S_IFMT { //nolint:unconvert // as above
	case unix.S_IFREG:
		i.kind = file
	case unix.S_IFLNK:
		i.kind = link
	case unix.S_IFDIR:
		i.kind = folder
	default:
		i.kind = special
	}
	return i
}

// openFile opens a regular file in d. It fails if the name is something else by
// now.
func (d dir) openFile(name string) (*os.File, info, error) {
	fd, err := unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, info{}, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return nil, info{}, err
	}
	i := infoOf(&st)
	if i.kind != file {
		_ = unix.Close(fd)
		return nil, info{}, errNoFile
	}
	return os.NewFile(uintptr(fd), name), i, nil // #nosec G115 -- a descriptor
}

func (d dir) readlink(name string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(d.fd, name, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

func (d dir) remove(name string) error { return unix.Unlinkat(d.fd, name, 0) }

func (d dir) removeDir(name string) error { return unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR) }

func (d dir) rename(from, to string) error { return unix.Renameat(d.fd, from, d.fd, to) }

// owner is the owner of created files; -1 leaves it unchanged.
type owner struct{ uid, gid int }

// ownerFor returns the owner that files created by root must get.
func ownerFor(i info) owner {
	if os.Geteuid() != 0 {
		return owner{-1, -1}
	}
	return owner{int(i.uid), int(i.gid)}
}

func (d dir) mkdir(name string, mode uint32, o owner) error {
	if err := unix.Mkdirat(d.fd, name, 0o700); err != nil {
		return err
	}
	made, err := d.open(name)
	if err != nil {
		return err
	}
	defer made.close()
	return errors.Join(unix.Fchown(made.fd, o.uid, o.gid), unix.Fchmod(made.fd, mode))
}

func (d dir) symlink(target, name string, o owner) error {
	if err := unix.Symlinkat(target, d.fd, name); err != nil {
		return err
	}
	return unix.Fchownat(d.fd, name, o.uid, o.gid, unix.AT_SYMLINK_NOFOLLOW)
}

// create creates a file that nobody else can open until done is called.
func (d dir) create(name string) (*os.File, error) {
	fd, err := unix.Openat(d.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil // #nosec G115 -- a descriptor
}

// give sets a new file's owner and then its mode, because changing the owner
// may clear bits of the mode.
func give(f *os.File, mode uint32, o owner) error {
	return errors.Join(f.Chown(o.uid, o.gid), f.Chmod(os.FileMode(mode&0o777)))
}

// flock is a lock on the keeper's folder.
type flock struct{ f *os.File }

// lock waits for the lock: shared for taking snapshots, exclusive for removing
// them.
func (k Keeper) lock(exclusive bool) (flock, error) {
	if err := os.MkdirAll(k.Dir, 0o700); err != nil {
		return flock{}, fmt.Errorf("snapshot: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(k.Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return flock{}, fmt.Errorf("snapshot: %w", err)
	}
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	for {
		if err = unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return flock{}, errors.Join(fmt.Errorf("snapshot: locking: %w", err), f.Close())
	}
	return flock{f}, nil
}

func (l flock) unlock() { _ = l.f.Close() }
