//go:build !linux

package snapshot

import (
	"os"

	"example.org/bridge/internal/dirstate"
)

// openForWriting cannot be determined on this platform, where no commands are
// run.
func openForWriting(*os.File) bool { return false }

// stamp returns the zero Stamp, since no folder can be relied on.
func (d dir) stamp(*dirstate.Trust) (dirstate.Stamp, error) { return dirstate.Stamp{}, nil }
