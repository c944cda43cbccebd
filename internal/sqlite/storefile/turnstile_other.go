//go:build !unix

package storefile

import (
	"errors"
	"os"
)

// Without flock, writers wait for SQLite's own lock with its busy timeout.

func tryFlock(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func waitFlock(*os.File) error { return errors.ErrUnsupported }

func unlockFlock(*os.File) error { return errors.ErrUnsupported }
