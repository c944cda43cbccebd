package process_test

import (
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"example.org/bridge/internal/harness/faultytest"
	"example.org/bridge/internal/harness/process"
)

func TestMain(m *testing.M) {
	if os.Getenv("FAULTY") != "" {
		os.Exit(faultytest.Main())
	}
	os.Exit(m.Run())
}

func start(t *testing.T, faults string, env map[string]string) *process.Process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if env == nil {
		env = map[string]string{}
	}
	env["FAULTY"] = "1"
	p, err := process.Start(process.Spec{Command: []string{program, "--faults", faults}, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill() })
	return p
}

const callAdd = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2}}}` + "\n"

// ask makes one call, so that the fault has occurred when it returns.
func ask(t *testing.T, p *process.Process) {
	t.Helper()
	if _, err := io.WriteString(p.Stdin, callAdd); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Stdout.Read(make([]byte, 1<<16)); err != nil {
		t.Fatal(err)
	}
}

// TestStop checks that a well-behaved server ends by itself, and that each way of failing
// to end is reported.
func TestStop(t *testing.T) {
	for _, c := range []struct {
		name, faults string
		want         process.Ending
		linux        bool
	}{
		{"sound", "", process.Ending{Asked: true}, false},
		{"exit code", "exit-code", process.Ending{Asked: true, Code: 4}, false},
		{"goes on", "ignore-term", process.Ending{Asked: true, Code: -1, IgnoredEnd: true, IgnoredTerm: true}, true},
		{"child in its group", "child-left", process.Ending{Asked: true, Left: 1}, true},
		{"child in a session of its own", "child-detached", process.Ending{Asked: true, Left: 1}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.linux && runtime.GOOS != "linux" {
				t.Skip("MISSING: /proc, by which processes outside of a group are found")
			}
			p := start(t, c.faults, nil)
			ask(t, p)
			got := p.Stop()
			got.Stderr, got.PeakResidentBytes = "", 0
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if again := p.Stop(); again.Left != c.want.Left {
				t.Errorf("a second Stop says %+v", again)
			}
		})
	}
}

// TestEnvironment checks that a server sees only the base environment and the variables it
// was given.
func TestEnvironment(t *testing.T) {
	t.Setenv("SOMEBODYS_API_KEY", "not for the server")
	for _, variable := range process.Environment(map[string]string{"MODE": "test", "LANG": "C"}) {
		name, value, _ := strings.Cut(variable, "=")
		if name == "SOMEBODYS_API_KEY" || name == "LANG" && value != "C" {
			t.Errorf("the server would get %s", name)
		}
	}
}

func TestNoCommand(t *testing.T) {
	if _, err := process.Start(process.Spec{}); err == nil {
		t.Error("an empty command was started")
	}
	_, err := process.Start(process.Spec{Command: []string{"no-such-program-anywhere"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-program-anywhere") {
		t.Errorf("the error does not name the program: %v", err)
	}
}
