//go:build !unix

package agents

import (
	"context"
	"sync"
)

// installing stands for the lock, which this platform lacks for folders. Files
// that another process changes meanwhile are refused all the same.
var installing sync.Mutex

func lockHome(context.Context, string) (unlock func(), err error) {
	installing.Lock()
	return installing.Unlock, nil
}
