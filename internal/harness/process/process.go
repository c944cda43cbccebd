// Package process starts a server with an environment that contains only what the suite
// specifies, and ends it completely, including its process group and processes that left
// the group. No process is left behind.
//
// Processes outside the group are found on Linux only, by a mark in their environment and
// by their parents. On other systems only the group is ended.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Spec describes what to start. The first word of Command is looked up in the PATH of the
// harness, as a client would do. Env is added to a small base environment; see
// [Environment].
type Spec struct {
	Command []string
	Dir     string
	Env     map[string]string
	// NoInput is set for a server that does not watch its input, such as an HTTP server, so
	// that closing its input has no effect.
	NoInput bool
}

// Process is a started server. Stdin and Stdout are its streams. The end of its standard
// error is kept; see [Process.Stderr].
type Process struct {
	Stdin  io.WriteCloser
	Stdout io.ReadCloser

	cmd     *exec.Cmd
	mark    string
	noInput bool
	stderr  ring
	done    chan struct{}
	err     error
	tree    family
	stop    sync.Once
	ending  Ending
}

// Ending describes how a server ended. Code is its exit code, or -1 if it was ended by a
// signal. Left is the number of processes that outlived it.
type Ending struct {
	Code              int
	Asked             bool // it was told to end before it ended
	IgnoredEnd        bool // it continued when its input ended
	IgnoredTerm       bool // it continued when it was told to end, and was killed
	Left              int
	Stderr            string
	PeakResidentBytes int64
}

// Start starts a server. The error says what could not be started, and why.
func Start(spec Spec) (*Process, error) {
	if len(spec.Command) == 0 || spec.Command[0] == "" {
		return nil, errors.New("there is no command to start")
	}
	p := &Process{mark: newMark(), noInput: spec.NoInput, done: make(chan struct{})}
	//nolint:gosec // the suite's author says what is started
	p.cmd = exec.Command(spec.Command[0], spec.Command[1:]...)
	p.cmd.Dir = spec.Dir
	p.cmd.Env = append(Environment(spec.Env), markName+"="+p.mark)
	p.cmd.SysProcAttr = ownGroup()
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = settle // in case a child keeps standard error open
	if err := p.open(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// open makes the streams and starts the program. Standard output is a pipe created here,
// because Wait of package exec would close its own while it is being read.
func (p *Process) open() error {
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	p.cmd.Stdout = writer
	err = p.cmd.Start()
	_ = writer.Close()
	if err != nil {
		_ = reader.Close()
		var missing *exec.Error
		if errors.As(err, &missing) {
			return fmt.Errorf("cannot start %q: %w", missing.Name, missing.Err)
		}
		return fmt.Errorf("cannot start the server: %w", err)
	}
	p.Stdin, p.Stdout = stdin, reader
	return nil
}

// Done is closed when the server has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stderr returns the end of what the server wrote to standard error.
func (p *Process) Stderr() string { return p.stderr.String() }

// PID is the server's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

const (
	// settle is how much later than the server its other processes may end.
	settle = 500 * time.Millisecond
	// grace is how long a server may take to end after each request to end.
	grace = 2 * time.Second
)

// Stop ends the server: it closes its input, then tells its process group to end, then
// kills it. Stop returns when no process is left, and always in bounded time.
func (p *Process) Stop() Ending { return p.End(true) }

// Kill kills a server that is not given the chance to end by itself.
func (p *Process) Kill() Ending { return p.End(false) }

// End is Stop, or Kill if gently is false.
func (p *Process) End(gently bool) Ending {
	p.stop.Do(func() {
		p.tree.look(p.PID())
		p.ending.PeakResidentBytes = peakResident(p.PID())
		ended := p.waited(0)
		p.ending.Asked = !ended
		_ = p.Stdin.Close()
		if gently && !ended && !p.noInput {
			ended = p.waited(grace)
			p.ending.IgnoredEnd = !ended
		}
		p.tree.look(p.PID())
		p.finish(gently, ended)
		p.ending.Stderr = p.Stderr()
		_ = p.Stdout.Close()
	})
	return p.ending
}

// finish ends the remaining processes of the server and counts those that outlived it.
func (p *Process) finish(gently, ended bool) {
	if !ended && gently {
		_ = endGroup(p.cmd.Process, false)
		ended = p.waited(grace)
		p.ending.IgnoredTerm = !ended
	}
	if ended {
		p.ending.Left = len(p.settled())
	}
	_ = endGroup(p.cmd.Process, true)
	p.waited(grace + settle)
	left := p.tree.alive(p.mark)
	for _, pid := range left {
		killOne(pid)
	}
	select {
	case <-p.done:
		p.ending.Code = p.cmd.ProcessState.ExitCode()
	default:
		p.ending.Code = -1 // it cannot be killed, for example because it is waiting for a disk
	}
}

// settled returns the processes that are still running after a server has ended and they
// have had time to end as well.
func (p *Process) settled() []int {
	ctx, cancel := context.WithTimeout(context.Background(), settle)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		left := p.tree.alive(p.mark)
		if len(left) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return left
		case <-tick.C:
		}
	}
}

// waited reports whether the server ends within d.
func (p *Process) waited(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	default:
	}
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}
