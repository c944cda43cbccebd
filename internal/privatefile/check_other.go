//go:build !unix

package privatefile

import (
	"io/fs"
	"os"
)

// Open opens a file for reading.
func Open(path string) (*os.File, error) { return os.Open(path) }

// Check returns nil, because this platform does not have POSIX permissions.
// Keep the files in a folder of your own profile.
func Check(string, fs.FileInfo, fs.FileMode) error { return nil }

// SyncFolder does nothing: this platform cannot sync a folder.
func SyncFolder(string) error { return nil }

// keepOwner does nothing, because files do not have that kind of owner here.
func keepOwner(*os.File, fs.FileInfo) error { return nil }
