package storefile

import "golang.org/x/sys/unix"

// NetworkFilesystem returns the name of the network filesystem that dir is on, or "" if
// it is local or the platform does not tell.
func NetworkFilesystem(dir string) string {
	var stat unix.Statfs_t
	if unix.Statfs(dir, &stat) != nil || stat.Flags&unix.MNT_LOCAL != 0 {
		return ""
	}
	return unix.ByteSliceToString(stat.Fstypename[:])
}
