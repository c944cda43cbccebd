package storefile_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"example.org/bridge/internal/sqlite/storefile"
)

func TestNetworkFilesystems(t *testing.T) {
	// The names are those of linux/magic.h.
	want := map[int64]string{
		unix.NFS_SUPER_MAGIC:   "NFS",
		unix.SMB_SUPER_MAGIC:   "SMB",
		unix.CIFS_SUPER_MAGIC:  "CIFS",
		unix.SMB2_SUPER_MAGIC:  "SMB2",
		unix.V9FS_MAGIC:        "9P, as WSL has the drives of Windows below /mnt",
		unix.AFS_SUPER_MAGIC:   "AFS",
		unix.AFS_FS_MAGIC:      "AFS",
		unix.CEPH_SUPER_MAGIC:  "Ceph",
		unix.CODA_SUPER_MAGIC:  "Coda",
		unix.OCFS2_SUPER_MAGIC: "OCFS2",
	}
	for magic, name := range want {
		if got := storefile.NetworkFilesystems[magic]; got != name {
			t.Errorf("%#x: got %q, want %q", magic, got, name)
		}
	}
	for name, magic := range map[string]int64{
		"ext4": unix.EXT4_SUPER_MAGIC, "tmpfs": unix.TMPFS_MAGIC, "btrfs": unix.BTRFS_SUPER_MAGIC,
		"xfs": unix.XFS_SUPER_MAGIC, "overlay": unix.OVERLAYFS_SUPER_MAGIC,
	} {
		if got := storefile.NetworkFilesystems[magic]; got != "" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
