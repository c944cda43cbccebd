//go:build !unix

package storefile

import "os"

// CheckPrivate only checks that path exists, because this platform has no POSIX
// permissions. Keep the store in a folder of your own profile.
func CheckPrivate(path string) error {
	_, err := os.Stat(path)
	return err
}

func private(*os.File) error { return nil }

// systemError knows no error numbers of this platform.
func systemError(error) error { return nil }

// CheckWritable does nothing on platforms without such permissions.
func CheckWritable(string) error { return nil }

// noFollow is the open flag that refuses symbolic links.
const noFollow = 0
