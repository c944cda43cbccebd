//go:build unix

package commands

import (
	"errors"
	"io/fs"
	"syscall"

	"example.org/bridge/internal/sandbox"
)

// identify returns the identity of a folder, so that it can be told from another folder
// that is later given the same name.
func identify(info fs.FileInfo) (sandbox.Identity, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return sandbox.Identity{}, errors.New("the folder cannot be identified")
	}
	return sandbox.Identity{Device: uint64(stat.Dev), Inode: stat.Ino}, nil //nolint:unconvert // other platforms have other types
}
