package postgrestest

import (
	"fmt"
	"io"
	"os/exec"
)

// watcher is a process that outlives the one that tests, however that ends, and then ends
// its server and removes the folder. It reads a pipe, whose end it sees when nobody has
// the other side open any more.
type watcher struct {
	process *exec.Cmd
	pipe    io.WriteCloser
}

// watching is what the watcher runs. Each line says what there is to end: the number of
// the server's process, nothing, or nothing ever again. It asks the server to end at once
// (SIGQUIT is an immediate shutdown, which ends its processes too) and kills it where that
// takes more than ten seconds.
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

// watch starts the watcher of a server's folder, away from the terminal and the process
// group of the tests, so that what kills those leaves it alone.
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

// running tells which process to end.
func (w *watcher) running(pid int) error { return w.tell(fmt.Sprint(pid)) }

// gone tells that there is no process to end: its number may soon be another's.
func (w *watcher) gone() error { return w.tell("") }

func (w *watcher) tell(line string) error {
	_, err := fmt.Fprintln(w.pipe, line)
	return err
}

// close ends the watcher, which then leaves everything as it is.
func (w *watcher) close() error {
	if err := w.tell("closed"); err != nil {
		return err
	}
	if err := w.pipe.Close(); err != nil {
		return err
	}
	return w.process.Wait()
}
