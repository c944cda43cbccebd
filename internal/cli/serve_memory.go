package cli

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// A process that serves one agent has a small heap: less than 1 MB lives, and a
// call leaves 0.1 to 0.2 MB of garbage. The collector's own setting would run it
// every 30 calls, which is an eighth of their CPU time.
const (
	gcPercent = 400
	// memoryLimit makes the collector run as often as usual where much is alive,
	// such as large messages. It is in bytes, and soft.
	memoryLimit = 64 << 20
	// restAfter is how long no input comes before memory is given back.
	restAfter = time.Second
	// restFor is how much must have been allocated for that, in bytes.
	restFor = 2 << 20
)

// tuneMemory sets the collector for a process of one agent, unless the
// environment does (https://pkg.go.dev/runtime, GOGC).
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// restingInput gives memory back to the system when no input has come for a
// while. Only its reader may use it.
type restingInput struct {
	*os.File
	timer *time.Timer
}

func newRestingInput(in *os.File) *restingInput {
	// Bytes allocated until memory was given back. A timer does not wait for its
	// function's last run, so two may run at once.
	var freedAt atomic.Uint64
	timer := time.AfterFunc(restAfter, func() {
		before, now := freedAt.Load(), allocated()
		if now-before >= restFor && freedAt.CompareAndSwap(before, now) {
			debug.FreeOSMemory()
		}
	})
	return &restingInput{in, timer}
}

// Read implements io.Reader.
func (r *restingInput) Read(p []byte) (int, error) {
	r.timer.Reset(restAfter)
	defer r.timer.Stop()
	return r.File.Read(p)
}

// allocated is how many bytes the process has allocated since its start.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
