//go:build !unix

package binding

import (
	"context"
	"fmt"
	"os"
	"sync"
)

// checkFolder reports only whether the folder is there: this platform's
// permissions are not those of POSIX. The folder inherits those of the store's.
func checkFolder(dir string) error {
	info, err := os.Lstat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%w: %s is not a folder", ErrUnsafe, dir)
	}
	return err
}

// processLock stands for the lock file, which this platform lacks: two processes
// that change a binding at the same instant may lose one of the changes, never
// half of one.
var processLock sync.Mutex

func lock(context.Context, string) (func(), error) {
	processLock.Lock()
	return processLock.Unlock, nil
}
