package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Line is a line printed by a command, and the time when it was read.
type Line struct {
	Text []byte
	At   time.Time
}

// Daemon is a command of bridge that runs until it is told to end.
type Daemon struct {
	process *exec.Cmd
	lines   chan Line
	log     *strings.Builder
	reading chan error
}

// maxLine is larger than any message in JSON.
const maxLine = 1 << 20

// StartDaemon starts bridge with args. End it with Stop.
func (p *Place) StartDaemon(ctx context.Context, args ...string) (*Daemon, error) {
	d := &Daemon{process: p.Command(ctx, args...), lines: make(chan Line), log: new(strings.Builder), reading: make(chan error, 1)}
	d.process.Stderr = d.log
	out, err := d.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.process.Start(); err != nil {
		return nil, fmt.Errorf("start bridge %s: %w", args[0], err)
	}
	go d.read(out)
	return d, nil
}

// read passes lines on until the output ends.
func (d *Daemon) read(out io.Reader) {
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		d.lines <- Line{[]byte(scanner.Text()), time.Now()}
	}
	close(d.lines)
	d.reading <- scanner.Err()
}

// Next returns the next line.
func (d *Daemon) Next(ctx context.Context) (Line, error) {
	select {
	case l, ok := <-d.lines:
		if !ok {
			return Line{}, errors.New("the command ended too early")
		}
		return l, nil
	case <-ctx.Done():
		return Line{}, ctx.Err()
	}
}

// Discard reads the output until the command ends, so that the command is never blocked by
// it.
func (d *Daemon) Discard() {
	for range d.lines {
	}
}

// Kill kills the command like kill -9, waits until it has ended, and returns the output
// that was not read yet.
func (d *Daemon) Kill() (rest []Line, err error) {
	if err := d.process.Process.Kill(); err != nil {
		return nil, err
	}
	for l := range d.lines {
		rest = append(rest, l)
	}
	err = <-d.reading
	_ = d.process.Wait() // it reports that it was killed
	return rest, err
}

// Stop tells the command to end and returns the CPU time it used in total. It returns an
// error if the command ends with one. A command that does not end is killed when the
// context it was started with ends.
func (d *Daemon) Stop() (cpu time.Duration, err error) {
	signalled := d.process.Process.Signal(syscall.SIGTERM)
	d.Discard()
	err = errors.Join(signalled, <-d.reading, d.process.Wait())
	if err != nil {
		return 0, fmt.Errorf("bridge %s: %w: %.500s", d.process.Args[1], err, d.log)
	}
	state := d.process.ProcessState
	return state.UserTime() + state.SystemTime(), nil
}

// Lines returns the channel of output lines, which is closed at the end of the output.
func (d *Daemon) Lines() <-chan Line { return d.lines }

// EndsDaemons reports whether this system can tell a process to end, instead of only
// killing it.
func EndsDaemons() bool { return runtime.GOOS != "windows" }
