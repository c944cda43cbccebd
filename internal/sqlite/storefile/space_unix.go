//go:build linux || darwin

package storefile

import "golang.org/x/sys/unix"

// FreeSpace returns how many bytes this user can still store in dir. The error is
// errors.ErrUnsupported if the platform does not tell.
func FreeSpace(dir string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}
