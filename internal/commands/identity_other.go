//go:build !unix

package commands

import (
	"errors"
	"io/fs"

	"example.org/bridge/internal/sandbox"
)

func identify(fs.FileInfo) (sandbox.Identity, error) {
	return sandbox.Identity{}, errors.New("commands cannot be run on this platform")
}
