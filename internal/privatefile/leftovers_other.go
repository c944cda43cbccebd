//go:build !unix

package privatefile

import (
	"io/fs"
	"os"
	"path/filepath"
)

// heldWhileOpen is false where a file that is open cannot get another name.
const heldWhileOpen = false

// hold does nothing: a file that is open cannot be removed here.
func hold(*os.File) error { return nil }

// Sweep removes what processes that were killed while they wrote have left in a
// folder under temporary names. What cannot be removed stays.
func Sweep(folder string) {
	for _, pattern := range temporary {
		names, _ := fs.Glob(os.DirFS(folder), pattern)
		for _, name := range names {
			_ = os.Remove(filepath.Join(folder, name))
		}
	}
}

func stolen(error, string) bool { return false }
