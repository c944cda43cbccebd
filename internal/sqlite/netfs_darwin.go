package sqlite

import "golang.org/x/sys/unix"

// networkFilesystem names the network filesystem that dir is on, if it is.
func networkFilesystem(dir string) string {
	var stat unix.Statfs_t
	if unix.Statfs(dir, &stat) != nil || stat.Flags&unix.MNT_LOCAL != 0 {
		return ""
	}
	return unix.ByteSliceToString(stat.Fstypename[:])
}
