//go:build !unix

package privatefile

import (
	"context"
	"sync"
)

// folders replaces the lock, which this platform does not support for folders. It
// works within this process only.
var folders sync.Mutex

// LockFolder locks all folders against other callers in this process.
func LockFolder(context.Context, string) (unlock func(), err error) {
	folders.Lock()
	return folders.Unlock, nil
}
