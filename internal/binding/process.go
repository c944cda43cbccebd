package binding

import "os"

// Process is a process that cannot be mistaken for a later one with its number.
type Process struct {
	PID int `json:"pid"`
	// Started tells processes with the same number apart; empty where the
	// platform does not say. Compare it, nothing else.
	Started string `json:"started"`
}

// Self is the process that asks; the zero Process where the platform does not
// tell processes apart.
func Self() Process { return Running(os.Getpid()) }

// Running returns the process that has the number now, or the zero Process.
func Running(pid int) Process {
	started := startOf(pid)
	if started == "" {
		return Process{}
	}
	return Process{PID: pid, Started: started}
}

// Alive reports whether the process still runs.
func (p Process) Alive() bool { return p.Started != "" && startOf(p.PID) == p.Started }

// owner returns the process that a label names, if it names one.
func (l Label) owner() *Process {
	if !l.process {
		return nil
	}
	return &l.of
}
