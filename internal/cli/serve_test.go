package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// timeout only ends what would otherwise hang forever: on a busy machine nothing may
// fail because it was slow.
const timeout = time.Minute

// served is a running "bridge serve" with its own store.
type served struct {
	*exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	lines  *bufio.Reader
	stderr *strings.Builder
}

func startServe(t *testing.T) *served {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs POSIX signals")
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	s := &served{Cmd: exec.CommandContext(ctx, "bridge", "serve"), stderr: new(strings.Builder)}
	s.Env = append(os.Environ(), "BRIDGE_DB="+filepath.Join(t.TempDir(), "state", "bridge.db"), "XDG_CONFIG_HOME="+t.TempDir(), "HOME="+t.TempDir())
	s.Stderr = s.stderr
	var err error
	if s.in, err = s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if s.out, err = s.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	s.lines = bufio.NewReader(s.out)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	s.send(t, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	s.receive(t, `"serverInfo"`)
	s.send(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return s
}

func (s *served) send(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(s.in, line); err != nil {
		t.Fatal(err)
	}
}

func (s *served) receive(t *testing.T, want string) {
	t.Helper()
	line, err := s.lines.ReadString('\n')
	if err != nil || !strings.Contains(line, want) {
		t.Fatalf("%q, %v; want a line with %s", line, err, want)
	}
}

func (s *served) call(t *testing.T, id int, tool, arguments string) {
	t.Helper()
	s.send(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, arguments))
}

// TestServeEndsOnSignals checks that a server in a long poll answers and exits cleanly.
func TestServeEndsOnSignals(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			s := startServe(t)
			s.call(t, 2, "create_conversation", `{"my_role":"backend","partner_role":"frontend"}`)
			s.receive(t, `"join_code"`)
			s.call(t, 3, "check_messages", `{"wait_seconds":50}`)
			s.call(t, 4, "update_my_status", `{"status":"waiting"}`) // answered, so the poll is in progress or about to start
			s.receive(t, `"id":4`)
			if err := s.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(s.lines)
			if err != nil || !strings.Contains(string(rest), `"id":3`) {
				t.Errorf("%q, %v; want the answer to the poll", rest, err)
			}
			if err := s.Wait(); err != nil || s.stderr.String() != "" {
				t.Errorf("%v, standard error %q; want a clean end", err, s.stderr)
			}
		})
	}
}

// TestServeSurvivesClosedOutput checks that writing to a closed output is handled as an
// error and does not kill the process with SIGPIPE.
func TestServeSurvivesClosedOutput(t *testing.T) {
	s := startServe(t)
	if err := s.out.Close(); err != nil {
		t.Fatal(err)
	}
	s.call(t, 2, "create_conversation", `{"my_role":"backend","partner_role":"frontend"}`)
	_ = s.in.Close()
	_ = s.Wait()
	if status, ok := s.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signaled() {
		t.Errorf("%v; want an exit code", s.ProcessState)
	}
}

// TestDoctorBesideAServer checks that doctor does not disturb a store in use.
func TestDoctorBesideAServer(t *testing.T) {
	s := startServe(t)
	s.call(t, 2, "create_conversation", `{"my_role":"backend","partner_role":"frontend"}`)
	s.receive(t, `"join_code"`)
	doctor := exec.CommandContext(t.Context(), "bridge", "doctor")
	doctor.Env = s.Env
	if out, err := doctor.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	s.call(t, 3, "send_to_partner", `{"message":"still here"}`)
	s.receive(t, `"message_id"`)
	if err := s.in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
}
