package probe_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"example.org/bridge/internal/harness/faultytest"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/probe"
	"example.org/bridge/internal/harness/run"
	"example.org/bridge/internal/harness/suite"
	"example.org/bridge/internal/harness/wire"
)

func TestMain(m *testing.M) {
	if os.Getenv("FAULTY") != "" {
		os.Exit(faultytest.Main())
	}
	os.Exit(m.Run())
}

// probed returns the findings of the probes for a server with the given faults.
func probed(t *testing.T, faults, address string) []finding.Finding {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := suite.ForCommand([]string{program, "--faults", faults + ",", "--folder", t.TempDir()})
	s.Server.Env = map[string]string{"FAULTY": "1"}
	if address != "" {
		s.Server.Args = append(s.Server.Args, "--listen", address)
		s.Server.URL, s.Server.Transport = "http://"+address+"/mcp", "http"
	}
	snapshot, found, err := run.Snapshot(t.Context(), s)
	if err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	called, _, err := snapshot.Callable(nil)
	if err != nil {
		t.Fatal(err)
	}
	calls := probe.Calls{
		Parts: snapshot.Primitives(called), Folder: t.TempDir(), Limit: time.Minute, URL: s.Server.URL,
		Open: func(ctx context.Context) (*wire.Conn, error) { return run.Open(ctx, s) },
	}
	proofs, err := calls.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return append(probe.Texts(snapshot), proofs...)
}

// TestProbes checks that each fault is found under its kind, and that the sound server has
// no findings.
func TestProbes(t *testing.T) {
	sound := []faultytest.Fault{{Name: ""}, {Name: "crash-call"}, {Name: "legacy-only"}, {Name: "modern-only"}}
	for _, fault := range append(sound, faultytest.FoundBy(faultytest.ByProbe)...) {
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			found := probed(t, fault.Name, "")
			if fault.Kind == "" && len(found) > 0 || fault.Kind != "" && (len(found) != 1 || string(found[0].Kind) != fault.Kind) {
				t.Errorf("want %q, found %+v", fault.Kind, found)
			}
		})
	}
}

// TestWeb checks that a server over HTTP that answers any page is found, by Origin and by
// Host.
func TestWeb(t *testing.T) {
	for fault, want := range map[string]int{"": 0, "any-origin": 2} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := fmt.Sprint(listener.Addr())
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		if found := probed(t, fault, address); len(found) != want {
			t.Errorf("%q: %+v", fault, found)
		}
	}
}
