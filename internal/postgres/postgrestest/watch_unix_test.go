//go:build unix

package postgrestest_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
)

// childEnv makes the test binary start a server, print where it is, and end in the way
// that the variable's value names.
const childEnv = "BRIDGE_POSTGRESTEST_CHILD"

func TestMain(m *testing.M) {
	if how := os.Getenv(childEnv); how != "" {
		os.Exit(child(how))
	}
	os.Exit(m.Run())
}

// child is a test that never closes its server.
func child(how string) int {
	s, err := postgrestest.Start("fsync=off")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if how == "stopped" { // as in the middle of Kill
		if err := syscall.Kill(postmaster(s.Data()), syscall.SIGSTOP); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	fmt.Println(s.Data())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends it
	if how == "panics" {
		panic("as a test that runs too long does")
	}
	return 3
}

// TestServersEndWithTheirTests checks that however a process that started a server
// ends, the server is stopped and its folder removed.
func TestServersEndWithTheirTests(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func(p *os.Process, stdin io.Closer) error
	}{
		{"killed with its process group", func(p *os.Process, _ io.Closer) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }},
		{"exits", func(_ *os.Process, stdin io.Closer) error { return stdin.Close() }},
		{"panics", func(_ *os.Process, stdin io.Closer) error { return stdin.Close() }},
		{"stopped", func(p *os.Process, _ io.Closer) error { return p.Kill() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+tt.name)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			var said bytes.Buffer
			cmd.Stderr = &said
			stdin, err := cmd.StdinPipe()
			must(t, err)
			stdout, err := cmd.StdoutPipe()
			must(t, err)
			must(t, cmd.Start())
			line, readErr := bufio.NewReader(stdout).ReadString('\n')
			if readErr != nil {
				_ = stdin.Close()
				_ = cmd.Wait()
				if strings.Contains(said.String(), postgrestest.ErrMissing.Error()) {
					postgrestest.Need(t, nil)
				}
				t.Fatalf("the child said nothing: %v\n%s", readErr, said.String())
			}
			data := strings.TrimSpace(line)
			pid := postmaster(data)
			if !runs(pid) {
				t.Fatalf("no server runs: process %d", pid)
			}
			must(t, tt.end(cmd.Process, stdin))
			if err := cmd.Wait(); err == nil {
				t.Error("the child ended well, so nothing was tried")
			}
			bridgetest.Eventually(t, "the server's end", func() bool { return !runs(pid) })
			bridgetest.Eventually(t, "the end of its folder", func() bool {
				_, err := os.Stat(filepath.Dir(data))
				return errors.Is(err, fs.ErrNotExist)
			})
		})
	}
}

// TestClosedServersLeaveNothing checks that a closed server leaves neither a folder nor
// a process, including its watcher, and that after a restart the new server is the one
// watched.
func TestClosedServersLeaveNothing(t *testing.T) {
	t.Parallel()
	s, err := postgrestest.Start("fsync=off")
	if errors.Is(err, postgrestest.ErrMissing) {
		postgrestest.Need(t, nil)
	}
	must(t, err)
	first := postmaster(s.Data())
	must(t, s.Kill())
	must(t, s.Restart())
	second := postmaster(s.Data())
	must(t, s.Close()) // waits for the watcher
	for _, pid := range []int{first, second} {
		if runs(pid) {
			t.Errorf("process %d runs on", pid)
		}
	}
	if _, err := os.Stat(filepath.Dir(s.Data())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there (%v)", err)
	}
}

// postmaster returns the process ID of the server in a folder, or 0 if there is none.
func postmaster(data string) int {
	content, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return 0
	}
	return pid
}

// runs reports whether a process exists and is not a zombie (state Z, where there is
// /proc).
func runs(pid int) bool {
	if pid <= 0 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		_, own := os.Stat("/proc/self/stat")
		return own != nil // no /proc on this system
	}
	return !strings.HasPrefix(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " Z")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
