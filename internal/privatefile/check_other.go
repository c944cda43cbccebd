//go:build !unix

package privatefile

import (
	"io/fs"
	"os"
)

// Open opens a file for reading.
func Open(path string) (*os.File, error) { return os.Open(path) }

// Check finds nothing: this platform's permissions are not those of POSIX. Keep
// the files in a folder of your own profile.
func Check(string, fs.FileInfo, fs.FileMode) error { return nil }

// SyncFolder does nothing: this platform cannot sync a folder.
func SyncFolder(string) error { return nil }

// keepOwner has nothing to do where files have no owner of that kind.
func keepOwner(*os.File, fs.FileInfo) error { return nil }
