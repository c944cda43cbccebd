package bench

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

// line is one line that a command printed, and when it was read.
type line struct {
	text []byte
	at   time.Time
}

// daemon is a command of bridge that runs until it is told to end.
type daemon struct {
	process *exec.Cmd
	lines   chan line
	log     *strings.Builder
	reading chan error
}

// maxLine is more than a message takes as JSON.
const maxLine = 1 << 20

// startDaemon starts bridge with args. End it with stop.
func (p *place) startDaemon(ctx context.Context, args ...string) (*daemon, error) {
	d := &daemon{process: p.command(ctx, args...), lines: make(chan line), log: new(strings.Builder), reading: make(chan error, 1)}
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

// read passes lines on until the end of the output.
func (d *daemon) read(out io.Reader) {
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		d.lines <- line{[]byte(scanner.Text()), time.Now()}
	}
	close(d.lines)
	d.reading <- scanner.Err()
}

// next returns the next line.
func (d *daemon) next(ctx context.Context) (line, error) {
	select {
	case l, ok := <-d.lines:
		if !ok {
			return line{}, errors.New("it ended too early")
		}
		return l, nil
	case <-ctx.Done():
		return line{}, ctx.Err()
	}
}

// discard reads what it prints, so that it never waits for that.
func (d *daemon) discard() {
	for range d.lines {
	}
}

// stop tells the command to end, which it has to do without an error, and
// returns how long it was on a CPU in all. One that does not end is killed when
// the context that it was started with ends.
func (d *daemon) stop() (cpu time.Duration, err error) {
	signalled := d.process.Process.Signal(syscall.SIGTERM)
	d.discard()
	err = errors.Join(signalled, <-d.reading, d.process.Wait())
	if err != nil {
		return 0, fmt.Errorf("bridge %s: %w: %.500s", d.process.Args[1], err, d.log)
	}
	state := d.process.ProcessState
	return state.UserTime() + state.SystemTime(), nil
}

// endsDaemons reports whether this system can tell a process to end.
func (r *run) endsDaemons() bool {
	if runtime.GOOS == "windows" {
		r.Log.Warn("left out: this system cannot tell a process to end, only kill it")
		return false
	}
	return true
}
