package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exit statuses for a program that could not be started, as in shells.
const (
	exitNotFound = 127
	exitNotRun   = 126
)

// runner runs a list in the box.
type runner struct {
	env    []string
	stdin  *os.File
	null   *os.File
	status int
	signal string
}

func newRunner(s spec) *runner { return &runner{env: s.environment()} }

// list runs the pipelines in order, each if its operator allows it.
func (r *runner) list(list List) outcome {
	for _, name := range []struct {
		file **os.File
		flag int
	}{{&r.stdin, os.O_RDONLY}, {&r.null, os.O_WRONLY}} {
		f, err := os.OpenFile(os.DevNull, name.flag, 0)
		if err != nil {
			return outcome{Setup: err.Error()}
		}
		defer func() { _ = f.Close() }()
		*name.file = f
	}
	for _, p := range list {
		switch {
		case p.Op == And && r.status != 0, p.Op == Or && r.status == 0:
		default:
			r.pipeline(p.Stages)
		}
	}
	return outcome{Started: true, Done: true, ExitCode: r.status, Signal: r.signal}
}

// pipeline starts every stage, and waits for every program. Its status is that of
// the last stage.
func (r *runner) pipeline(stages []Stage) {
	running := make(map[int]bool) // process number -> whether it is the last stage
	printed := make(chan struct{})
	group, in := 0, r.stdin
	r.status, r.signal = 0, ""
	for i, st := range stages {
		last := i == len(stages)-1
		out, next := os.Stdout, (*os.File)(nil)
		if !last {
			var err error
			if next, out, err = os.Pipe(); err != nil {
				closePipe(in, r.stdin)
				r.wait(running)
				r.fail(true, exitNotRun, st.Path, err)
				return
			}
		}
		fds := redirect([3]*os.File{in, out, os.Stderr}, st.Redirects, r.null, r.stdin)
		if st.Print {
			// The goroutine closes the pipe when it has written.
			go r.print(st, fds[1], last, out, printed)
		} else {
			pid, err := r.spawn(st, fds, group)
			if err != nil {
				r.fail(last, startStatus(err), st.Path, err)
			} else {
				running[pid] = last
				if group == 0 {
					group = pid
				}
			}
			closePipe(out)
		}
		closePipe(in, r.stdin)
		in = next
	}
	r.wait(running)
	if last := stages[len(stages)-1]; last.Print {
		<-printed
		r.status = last.Status
	}
}

// redirect applies redirections in order to standard input, output and error.
func redirect(fds [3]*os.File, redirects []Redirect, null, stdin *os.File) [3]*os.File {
	for _, rd := range redirects {
		switch rd {
		case StdinFromNull:
			fds[0] = stdin
		case StdoutToNull:
			fds[1] = null
		case StderrToNull:
			fds[2] = null
		case StderrToStdout:
			fds[2] = fds[1]
		case StdoutToStderr:
			fds[1] = fds[2]
		}
	}
	return fds
}

func (r *runner) print(st Stage, to *os.File, last bool, pipe *os.File, printed chan<- struct{}) {
	_, _ = io.WriteString(to, st.Text)
	closePipe(pipe)
	if last {
		close(printed)
	}
}

// closePipe closes an end of a pipe, but none of the files to keep, and neither
// standard output nor standard error.
func closePipe(f *os.File, keep ...*os.File) {
	if f == nil || f == os.Stdout || f == os.Stderr {
		return
	}
	for _, k := range keep {
		if f == k {
			return
		}
	}
	_ = f.Close()
}

// spawn starts a program in the pipeline's process group, so that a signal that a
// program sends to its own group does not reach the init.
func (r *runner) spawn(st Stage, fds [3]*os.File, group int) (int, error) {
	// #nosec G204 -- running the approved command is what the box is for
	return syscall.ForkExec(st.Path, st.Args, &syscall.ProcAttr{
		Env:   r.env,
		Files: []uintptr{fds[0].Fd(), fds[1].Fd(), fds[2].Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pgid: group},
	})
}

func startStatus(err error) int {
	if errors.Is(err, os.ErrNotExist) {
		return exitNotFound
	}
	return exitNotRun
}

func (r *runner) fail(last bool, status int, path string, err error) {
	fmt.Fprintf(os.Stderr, "bridge: %s: %v in the sandbox\n", filepath.Base(path), err)
	if last {
		r.status = status
	}
}

// wait reaps the pipeline's programs, and the orphans that end in the meantime.
func (r *runner) wait(running map[int]bool) {
	for len(running) > 0 {
		var st syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &st, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return
		}
		if last, ok := running[pid]; ok {
			delete(running, pid)
			if last {
				r.status = exitStatus(st)
				if st.Signaled() {
					r.signal = st.Signal().String()
				}
			}
		}
	}
}
