//go:build !unix

package storefile

import "os"

// CheckPrivate reports only whether path is there: this platform's permissions
// are not those of POSIX. Keep the store in a folder of your own profile.
func CheckPrivate(path string) error {
	_, err := os.Stat(path)
	return err
}

func private(*os.File) error { return nil }

// systemError knows no numbers of this platform.
func systemError(error) error { return nil }

// CheckWritable finds nothing where the platform has no such permissions.
func CheckWritable(string) error { return nil }

// noFollow keeps a link from being followed.
const noFollow = 0
