package stdio_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"example.org/bridge/internal/stdio"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// roleVariable, when set, makes the test binary act as a server on its standard streams.
const roleVariable = "BRIDGE_TEST_STDIO_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "" {
		os.Exit(m.Run())
	}
	stdio.SurviveClosedOutput()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	lost := 0
	y := newToy()
	err := stdio.Serve(ctx, y.server(), &stdio.Transport{
		In:       os.Stdin,
		Out:      os.Stdout,
		Draining: y.drain,
		Settled: func(_ *jsonrpc.Response, written bool) {
			if !written {
				lost++
			}
		},
	})
	fmt.Fprintf(os.Stderr, "served: %v, lost: %d\n", err, lost)
}

// process is the test binary running as a server. It is stopped when the test ends.
func process(t *testing.T) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs POSIX pipes and signals")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), roleVariable+"=1")
	stderr := new(bytes.Buffer)
	cmd.Stderr = stderr
	return cmd, stderr
}

func TestProcessAnswersAPipeline(t *testing.T) {
	cmd, stderr := process(t)
	cmd.Stdin = strings.NewReader(hello("2025-06-18") + "\n" + callTool("1", "wait", `"x"`) + "\nnonsense")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(out, []byte{'\n'}); n != 3 || !bytes.Contains(out, []byte("released x")) {
		t.Errorf("%d lines: %s", n, out)
	}
	if got := stderr.String(); got != "served: <nil>, lost: 0\n" {
		t.Error(got)
	}
}

func TestProcessEndsOnSIGTERM(t *testing.T) {
	cmd, stderr := process(t)
	stdin, lines := pipes(t, cmd)
	_, _ = io.WriteString(stdin, hello("2025-06-18")+"\n"+callTool("1", "wait", `"x"`)+"\n"+ping("2")+"\n")
	for range 2 { // the handshake and the ping; the long poll is still waiting
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, `"id":1`) {
		t.Errorf("the long poll was answered with %q, %v", line, err)
	}
	if err := cmd.Wait(); err != nil || stderr.String() != "served: <nil>, lost: 0\n" {
		t.Errorf("ended with %v: %s", err, stderr)
	}
}

func TestProcessSurvivesClosedOutput(t *testing.T) {
	cmd, stderr := process(t)
	stdout, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = outW
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(cmd.Start(), outW.Close(), stdout.Close()); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(stdin, ping("1")+"\n")
	if err := cmd.Wait(); err != nil || stderr.String() != "served: <nil>, lost: 1\n" {
		t.Errorf("ended with %v: %s", err, stderr)
	}
}

// pipes starts cmd and returns its standard input and output.
func pipes(t *testing.T, cmd *exec.Cmd) (io.Writer, *bufio.Reader) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return stdin, bufio.NewReader(stdout)
}
