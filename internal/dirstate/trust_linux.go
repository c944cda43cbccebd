package dirstate

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Trust decides, and remembers by device, whether the times of folders reliably
// change with their entries. It is safe for concurrent use.
type Trust struct {
	mu      sync.Mutex
	devices map[uint64]bool
}

// local are the local file systems whose folders get new times with each change of
// an entry. The numbers are from statfs(2), unless a comment names another source.
var local = map[uint64]bool{
	unix.EXT4_SUPER_MAGIC:      true, // also ext2 and ext3
	unix.XFS_SUPER_MAGIC:       true,
	unix.BTRFS_SUPER_MAGIC:     true,
	unix.F2FS_SUPER_MAGIC:      true,
	unix.TMPFS_MAGIC:           true,
	unix.OVERLAYFS_SUPER_MAGIC: true, // the times are the upper layer's; a lower layer does not change
	0x2fc12fc1:                 true, // zfs_vfsops.h of OpenZFS
	0xca451a4e:                 true, // bcachefs
}

// Folder reports whether a stamp of this open folder can be relied on. device is
// the folder's device.
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

// StampOf returns the stamp for the result of fstat(2) for a folder.
func StampOf(st *unix.Stat_t) Stamp {
	return Stamp{Device: uint64(st.Dev), Inode: st.Ino, Modified: st.Mtim.Nano(), Changed: st.Ctim.Nano()} //nolint:unconvert // it differs between processors
}
