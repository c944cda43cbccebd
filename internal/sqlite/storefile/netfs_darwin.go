package storefile

import "golang.org/x/sys/unix"

// NetworkFilesystem names the network filesystem that dir is on; it is empty on
// a local one, and where the platform does not tell.
func NetworkFilesystem(dir string) string {
	var stat unix.Statfs_t
	if unix.Statfs(dir, &stat) != nil || stat.Flags&unix.MNT_LOCAL != 0 {
		return ""
	}
	return unix.ByteSliceToString(stat.Fstypename[:])
}
