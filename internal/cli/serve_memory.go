package cli

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// A process that serves one agent has a small heap: less than 1 MB is live, and a call
// leaves 0.1 to 0.2 MB of garbage. With its default setting the collector would run
// every 30 calls, which is an eighth of their CPU time.
const (
	gcPercent = 400
	// memoryLimit makes the collector run as often as usual when much memory is live,
	// for example because of large messages. It is a soft limit, in bytes.
	memoryLimit = 64 << 20
	// restAfter is how long the input must be idle before memory is returned.
	restAfter = time.Second
	// restFor is the minimum number of bytes that must have been allocated since memory
	// was last returned.
	restFor = 2 << 20
)

// tuneMemory configures the collector for a process that serves one agent, unless the
// environment does (https://pkg.go.dev/runtime, GOGC).
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// restingInput returns memory to the system when no input has arrived for a while. Only
// its reader may use it.
type restingInput struct {
	*os.File
	timer *time.Timer
}

func newRestingInput(in *os.File) *restingInput {
	// Bytes allocated when memory was last returned. A timer does not wait for its
	// function's previous run, so two may run at the same time.
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

// allocated returns the number of bytes that the process has allocated since its start.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
