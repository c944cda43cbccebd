//go:build !unix

package privatefile

import (
	"io/fs"
	"os"
	"path/filepath"
)

// heldWhileOpen is false if an open file cannot be renamed.
const heldWhileOpen = false

// hold does nothing, because an open file cannot be removed on this platform.
func hold(*os.File) error { return nil }

// Sweep removes temporary files in a folder that were left by processes that
// were killed while writing. Files that cannot be removed stay.
func Sweep(folder string) {
	for _, pattern := range temporary {
		names, _ := fs.Glob(os.DirFS(folder), pattern)
		for _, name := range names {
			_ = os.Remove(filepath.Join(folder, name))
		}
	}
}

func stolen(error, string) bool { return false }
