package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// watchEvery is how often the tree's memory and processes are counted.
	watchEvery = 250 * time.Millisecond
	// exitTimeout is the status of a command that ran out of time, as in
	// timeout(1).
	exitTimeout = 124
	// slackPIDs is an allowance for the box's own processes and their threads.
	slackPIDs = 32
)

// supervise is the helper outside of the box. Whatever happens, it leaves no
// process, no placeholder and no temporary folder behind.
func supervise() int {
	for fd := controlFD; fd <= linkedFD; fd++ {
		unix.CloseOnExec(fd)
	}
	report := os.NewFile(reportFD, "report")
	out, err := superviseBox(os.NewFile(controlFD, "control"))
	if err != nil {
		out = outcome{Setup: err.Error()}
	}
	if err := writeJSON(report, out); err != nil {
		return 1 // the server has ended
	}
	return 0
}

func superviseBox(control io.Reader) (out outcome, err error) {
	s, err := readSpec(control)
	if err != nil {
		return outcome{}, err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return outcome{}, err
	}
	stop := make(chan string, 2)
	go func() {
		_, _ = io.Copy(io.Discard, control)
		stop <- "the server ended or cancelled the command"
	}()
	b, err := newBox(s)
	if err != nil {
		return outcome{}, err
	}
	defer func() {
		if cleanErr := b.clean(); cleanErr != nil && err == nil && out.Setup == "" {
			// The command has run, so its result must not be lost.
			_, _ = os.Stderr.WriteString("bridge: " + cleanErr.Error() + "\n")
		}
	}()
	return b.run(stop)
}

// box is one run, seen from outside.
type box struct {
	spec   spec
	shield *shield
	group  *cgroup // nil if none can be made
	growth *growth
	proxy  *proxy // nil without domains
	name   string // the container's name
	main   int
	exited chan syscall.WaitStatus
	gone   chan struct{} // closed when no child is left
	status *os.File      // the init's report
}

func (b *box) run(stop <-chan string) (outcome, error) {
	b.growth.begin(b.spec.Home)
	if err := b.start(); err != nil {
		return outcome{}, err
	}
	go b.reap()
	out := b.watch(stop)
	b.stopContainer()
	b.group.kill()
	killTree(b.gone)
	if out.Exceeded == "" && b.group.killedForMemory() {
		out = outcome{Done: true, ExitCode: 128 + int(unix.SIGKILL), Exceeded: "memory"}
	}

	held, contacted := b.putAside(), b.endProxy()
	said := b.readStatus()
	said.Held, out.Held = held, held
	said.Contacted, out.Contacted = contacted, contacted
	switch {
	case out.TimedOut || out.Exceeded != "" || out.Signal != "":
		return out, nil
	case b.status == nil: // a container: the client's status is the only report
		return b.containerOutcome(out), nil
	case said.Setup != "":
		return outcome{}, errors.New(said.Setup)
	case !said.Started:
		return outcome{}, errors.New(string(b.spec.Backend) + " ended before the command was started")
	}
	return said, nil
}

// putAside calls [shield.putAside] for a command that could write. No process of
// the command is left by then. It runs on another thread: this one may see the
// workspace through the mount that stage made, where root itself has no number
// and cannot rename anything.
func (b *box) putAside() []string {
	if b.shield == nil || !b.spec.Writable {
		return nil
	}
	done := make(chan []string)
	go func() {
		held, err := b.shield.putAside()
		if err != nil {
			held = append([]string{err.Error()}, held...) // first, because only the first entries of a long list are shown
		}
		done <- held
	}()
	return <-done
}

// watch waits until the box ends, or until there is a reason to end it.
func (b *box) watch(stop <-chan string) outcome {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	timeout := time.NewTimer(b.spec.Timeout)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case st := <-b.exited:
			return outcome{ExitCode: exitStatus(st)}
		case <-stop:
			return outcome{ExitCode: 128 + int(unix.SIGKILL), Signal: unix.SIGKILL.String()}
		case <-signals:
			return outcome{ExitCode: 128 + int(unix.SIGTERM), Signal: unix.SIGTERM.String()}
		case <-timeout.C:
			return outcome{Done: true, ExitCode: exitTimeout, TimedOut: true}
		case <-tick.C:
			if limit := b.exceeded(); limit != "" {
				return outcome{Done: true, ExitCode: 128 + int(unix.SIGKILL), Exceeded: limit}
			}
		}
	}
}

func (b *box) exceeded() string {
	procs := descendants()
	threads, memory := usage(procs)
	switch {
	case b.group.killedForMemory(), memory > b.spec.Memory, memory+sharedBytes(procs) > b.spec.Memory:
		return "memory"
	case threads > b.spec.PIDs+slackPIDs:
		return "processes"
	case b.growth.exceeded(procs):
		return "disk"
	}
	return ""
}

// reap reaps every child, and every orphan of the tree.
func (b *box) reap() {
	defer close(b.gone)
	for {
		var st syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &st, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil: // ECHILD: no child is left
			return
		case pid == b.main:
			b.exited <- st
		}
	}
}

// readStatus returns the last report of the init. No process that could write
// another is left.
func (b *box) readStatus() outcome {
	var last outcome
	if b.status == nil {
		return last
	}
	dec := json.NewDecoder(io.LimitReader(b.status, 64<<10))
	for {
		var o outcome
		if err := dec.Decode(&o); err != nil {
			return last
		}
		o.Started = o.Started || last.Started
		last = o
	}
}

func exitStatus(st syscall.WaitStatus) int {
	if st.Signaled() {
		return 128 + int(st.Signal())
	}
	return st.ExitStatus()
}
