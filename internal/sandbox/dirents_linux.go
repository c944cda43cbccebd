package sandbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sync"

	"golang.org/x/sys/unix"
)

// dirent is an entry of a folder: its name and its type (such as unix.DT_DIR).
type dirent struct {
	name string
	kind byte
}

// direntsAtOnce is how many bytes of a folder's entries are read with one call.
const direntsAtOnce = 32 << 10

var direntBuffers = sync.Pool{New: func() any { return new([direntsAtOnce]byte) }}

// readFolder reads the entries of an open folder, in no order. A folder that has
// been removed in the meantime has no entries.
func readFolder(fd int) ([]dirent, error) {
	buf, _ := direntBuffers.Get().(*[direntsAtOnce]byte)
	defer direntBuffers.Put(buf)
	var all []dirent
	for {
		n, err := unix.ReadDirent(fd, buf[:])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOENT), err == nil && n == 0:
			return all, nil
		case err != nil:
			return all, err
		}
		all = parseDirents(all, buf[:n])
	}
}

// parseDirents appends the entries in the result of getdents64(2), without "."
// and "..".
func parseDirents(all []dirent, data []byte) []dirent {
	const (
		sizeAt = 16
		kindAt = 18
		nameAt = 19
	)
	for len(data) > nameAt {
		size := int(binary.NativeEndian.Uint16(data[sizeAt:]))
		if size <= nameAt || size > len(data) {
			return all // a kernel never returns this
		}
		name := data[nameAt:size]
		if end := bytes.IndexByte(name, 0); end >= 0 {
			name = name[:end]
		}
		if s := string(name); s != "." && s != ".." {
			all = append(all, dirent{name: s, kind: data[kindAt]})
		}
		data = data[size:]
	}
	return all
}

// isFolder reports whether an entry of an open folder is itself a folder.
func (e dirent) isFolder(fd int) bool {
	if e.kind != unix.DT_UNKNOWN {
		return e.kind == unix.DT_DIR
	}
	var st unix.Stat_t // the file system does not report types
	return unix.Fstatat(fd, e.name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}
