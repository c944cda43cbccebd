package cli

import (
	"context"
	"os"
	"time"

	"example.org/bridge/internal/binding"
)

// starterPoll is how often a process is looked for where its end is not told.
const starterPoll = time.Second

// watchStarter calls ended when the process that started this one has ended. The
// end of standard input tells that, too, but not where somebody else holds the
// pipe's other end: a client that was killed may leave its children behind.
//
// A shell in between is passed over: one may start a server in the background and
// end. Where the starter is not known, or is the first process of the system,
// nothing is watched.
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

// starter is the nearest process above this one that is not a shell; 0 if that is
// not known.
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

// pollEnd looks for a process from time to time until it has ended; false if ctx
// ended first or the platform does not tell processes apart.
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
