//go:build !unix

package binding

import (
	"context"
	"fmt"
	"os"
	"sync"
)

// checkFolder checks only that the folder exists, because this platform does
// not have POSIX permissions. The folder inherits the permissions of the
// store's folder.
func checkFolder(dir string) error {
	info, err := os.Lstat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%w: %s is not a folder", ErrUnsafe, dir)
	}
	return err
}

// processLock replaces the lock file, which this platform does not support. Two
// processes that change a binding at the same moment may lose one of the
// changes, but never write half of one.
var processLock sync.Mutex

func lock(context.Context, string) (func(), error) {
	processLock.Lock()
	return processLock.Unlock, nil
}
