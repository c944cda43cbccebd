//go:build !unix

package sqlite

import "os"

// CheckPrivate reports only whether path is there: this platform's permissions
// are not those of POSIX. Keep the store in a folder of your own profile.
func CheckPrivate(path string) error {
	_, err := os.Stat(path)
	return err
}

func private(*os.File) error { return nil }

func isReadOnlyFilesystem(error) bool { return false }

func isFullFilesystem(error) bool { return false }

// CheckWritable finds nothing where the platform has no such permissions.
func CheckWritable(string) error { return nil }
