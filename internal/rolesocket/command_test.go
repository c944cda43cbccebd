//go:build linux || darwin

package rolesocket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/rolesocket"
)

// commandVariable makes the test binary act as one of the commands below.
const commandVariable = "BRIDGE_ROLESOCKET_TEST_COMMAND"

func TestMain(m *testing.M) {
	switch os.Getenv(commandVariable) {
	case "":
		os.Exit(m.Run())
	case "ends": // ends by itself
		fmt.Println(strings.Join(os.Args, " "))
		fmt.Fprintln(os.Stderr, "complaint")
		os.Exit(3)
	case "obeys": // and reports it
		told := make(chan os.Signal, 1)
		signal.Notify(told, os.Interrupt)
		fmt.Println(os.Getpid())
		<-told
		os.Exit(7)
	case "does not end":
		signal.Ignore(os.Interrupt)
		fmt.Println(os.Getpid())
		time.Sleep(time.Hour)
	}
}

// output forwards what a command prints.
type output chan string

func (o output) Write(text []byte) (int, error) {
	o <- string(text)
	return len(text), nil
}

// runs starts a command.
func runs(ctx context.Context, t *testing.T, what string, endsWithin time.Duration, stdout, stderr io.Writer) <-chan int {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	c := rolesocket.Command{Program: self, Name: "called", Environ: []string{commandVariable + "=" + what}, EndsWithin: endsWithin}
	ended := make(chan int, 1)
	go func() {
		code, err := c.Run(ctx, []string{"one", "two"}, stdout, stderr)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		ended <- code
	}()
	return ended
}

// TestCommand checks that a command gets its arguments and nothing of this process's
// environment, and that its exit code is returned.
func TestCommand(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if code := <-runs(t.Context(), t, "ends", 0, &stdout, &stderr); code != 3 || stdout.String() != "called one two\n" || stderr.String() != "complaint\n" {
		t.Errorf("exit code %d, %q, %q", code, &stdout, &stderr)
	}
	code, err := rolesocket.Command{Program: "/nonexistent/program"}.Run(t.Context(), nil, &stdout, &stderr)
	if code != 1 || err == nil {
		t.Errorf("no program: %d, %v", code, err)
	}
}

// TestCommandToldToEnd checks that a command whose user has disconnected is interrupted and
// may end by itself, and that one that does not end is killed.
func TestCommandToldToEnd(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		within time.Duration
		code   int
	}{
		"obeys":        {time.Hour, 7},
		"does not end": {10 * time.Millisecond, 1},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		out := make(output, 1)
		ended := runs(ctx, t, what, tt.within, out, io.Discard)
		pid, err := strconv.Atoi(strings.TrimSpace(<-out))
		must(t, err)
		cancel()
		select {
		case code := <-ended:
			if code != tt.code {
				t.Errorf("%s: exit code %d, want %d", what, code, tt.code)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: it goes on", what)
			_ = syscall.Kill(pid, syscall.SIGKILL)
			<-ended
		}
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%s: the process is there: %v", what, err)
		}
	}
}
