package postgrestest

import (
	"fmt"
	"io"
	"os/exec"
)

// watcher is a process that outlives the test process, however that ends, and then
// stops its server and removes the folder. It reads from a pipe, which reaches end of
// file when no process has the other side open any more.
type watcher struct {
	process *exec.Cmd
	pipe    io.WriteCloser
}

// watching is the script that the watcher runs. Each line that it reads says what to
// stop at the end: the process ID of the server, nothing (an empty line), or nothing
// from then on ("closed"). It asks the server to stop with SIGQUIT, an immediate
// shutdown, which ends its child processes too, and kills it after ten seconds.
const watching = `
pid=
while read -r line; do pid=$line; done
[ "$pid" = closed ] && exit
if [ -n "$pid" ]; then
	kill -QUIT "$pid" && kill -CONT "$pid"
	turn=0
	while kill -0 "$pid" && [ $turn -lt 100 ]; do
		sleep 0.1
		turn=$((turn + 1))
	done
	kill -KILL "$pid"
fi 2>/dev/null
rm -rf "$1"
`

// watch starts the watcher of a server's folder, in another session and process group
// than the tests, so that it survives signals to theirs.
func watch(folder string) (*watcher, error) {
	cmd := exec.Command("/bin/sh", "-c", watching, "watch-postgres", folder)
	cmd.Dir = "/"
	alone(cmd)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watcher of the server: %w", err)
	}
	return &watcher{process: cmd, pipe: pipe}, nil
}

// running tells the watcher which process to stop.
func (w *watcher) running(pid int) error { return w.tell(fmt.Sprint(pid)) }

// gone tells the watcher that there is no process to stop, because the number may soon
// be reused.
func (w *watcher) gone() error { return w.tell("") }

func (w *watcher) tell(line string) error {
	_, err := fmt.Fprintln(w.pipe, line)
	return err
}

// close ends the watcher without stopping or removing anything.
func (w *watcher) close() error {
	if err := w.tell("closed"); err != nil {
		return err
	}
	if err := w.pipe.Close(); err != nil {
		return err
	}
	return w.process.Wait()
}
