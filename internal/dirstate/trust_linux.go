package dirstate

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Trust remembers of which devices the times of folders are known to follow their
// entries. It is safe for use by several goroutines.
type Trust struct {
	mu      sync.Mutex
	devices map[uint64]bool
}

// local are file systems of the machine's own, whose folders get new times with each
// change of an entry. Statfs(2) has the numbers, where no comment says otherwise.
var local = map[uint64]bool{
	unix.EXT4_SUPER_MAGIC:      true, // and ext2, ext3
	unix.XFS_SUPER_MAGIC:       true,
	unix.BTRFS_SUPER_MAGIC:     true,
	unix.F2FS_SUPER_MAGIC:      true,
	unix.TMPFS_MAGIC:           true,
	unix.OVERLAYFS_SUPER_MAGIC: true, // the upper layer's times; a lower one does not change
	0x2fc12fc1:                 true, // zfs_vfsops.h of OpenZFS
	0xca451a4e:                 true, // bcachefs
}

// Folder reports whether a stamp of this open folder can be relied on. device is
// the folder's.
func (t *Trust) Folder(fd int, device uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.devices[device]
	if ok {
		return known
	}
	var st unix.Statfs_t
	known = unix.Fstatfs(fd, &st) == nil && local[uint64(st.Type)&0xffffffff] // #nosec G115 -- a bit pattern
	if t.devices == nil {
		t.devices = make(map[uint64]bool)
	}
	t.devices[device] = known
	return known
}

// StampOf makes a stamp of what fstat(2) said of a folder.
func StampOf(st *unix.Stat_t) Stamp {
	return Stamp{Device: uint64(st.Dev), Inode: st.Ino, Modified: st.Mtim.Nano(), Changed: st.Ctim.Nano()} //nolint:unconvert // it differs between processors
}
