package cli

import (
	"context"
	"os"
	"time"

	"example.org/bridge/internal/binding"
)

// starterPoll is the interval for checking whether a process is running, on systems
// that do not report its end.
const starterPoll = time.Second

// watchStarter calls ended when the process that started this one has ended. The end of
// standard input shows that too, but not if another process holds the other end of the
// pipe, such as a child that a killed client left behind.
//
// Shells in between are skipped, because one may start a server in the background and
// exit. If the starter is unknown, or is the first process of the system, nothing is
// watched.
func watchStarter(ctx context.Context, ended func()) {
	pid := starter()
	if pid <= 1 {
		return
	}
	go func() {
		if awaitEnd(ctx, pid) {
			ended()
		}
	}()
}

// starter returns the nearest ancestor that is not a shell; 0 if that is not known.
func starter() int {
	pid := os.Getppid()
	for range maxShells {
		arguments, parent := processArguments(pid)
		if len(arguments) == 0 || !isShell(arguments[0]) {
			return pid
		}
		pid = parent
	}
	return 0
}

// pollEnd checks periodically until a process has ended. It returns false if ctx ends
// first or the platform cannot tell processes apart.
func pollEnd(ctx context.Context, pid int) bool {
	process := binding.Running(pid)
	if process == (binding.Process{}) {
		return false
	}
	tick := time.NewTicker(starterPoll)
	defer tick.Stop()
	for process.Alive() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
