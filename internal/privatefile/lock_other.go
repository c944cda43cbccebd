//go:build !unix

package privatefile

import (
	"context"
	"sync"
)

// folders stands for the lock, which this platform lacks for folders: it holds in
// this process only.
var folders sync.Mutex

// LockFolder locks all folders against others in this process.
func LockFolder(context.Context, string) (unlock func(), err error) {
	folders.Lock()
	return folders.Unlock, nil
}
