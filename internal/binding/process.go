package binding

import "os"

// Process identifies a process, even if its number is reused later.
type Process struct {
	PID int `json:"pid"`
	// Started distinguishes processes with the same number; empty where the platform
	// has no such value. It has no meaning except for comparison.
	Started string `json:"started"`
}

// Self returns the calling process, or the zero Process where the platform cannot
// identify processes.
func Self() Process { return Running(os.Getpid()) }

// Running returns the process that has the number pid now, or the zero Process.
func Running(pid int) Process {
	started := startOf(pid)
	if started == "" {
		return Process{}
	}
	return Process{PID: pid, Started: started}
}

// Alive reports whether the process is still running; false for the zero Process and
// for a zombie.
func (p Process) Alive() bool { return p.Started != "" && startOf(p.PID) == p.Started }

// owner returns the process that a label stands for, if any.
func (l Label) owner() *Process {
	if !l.process {
		return nil
	}
	return &l.of
}
