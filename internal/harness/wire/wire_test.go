package wire_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/bridge/internal/harness/faultytest"
	"example.org/bridge/internal/harness/finding"
	"example.org/bridge/internal/harness/process"
	"example.org/bridge/internal/harness/wire"
)

func TestMain(m *testing.M) {
	if os.Getenv("FAULTY") != "" {
		os.Exit(faultytest.Main())
	}
	os.Exit(m.Run())
}

// target returns the faulty server over stdio, or over HTTP if listen is not empty.
func target(t *testing.T, faults, listen, revision string) wire.Target {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spec := process.Spec{Command: []string{program, "--faults", faults}, Env: map[string]string{"FAULTY": "1"}}
	target := wire.Target{Process: spec, Revision: revision, StartTimeout: 8 * time.Second}
	if listen != "" {
		target.Process.Command = append(target.Process.Command, "--listen", listen)
		target.URL = "http://" + listen + "/mcp"
	}
	return target
}

// freeAddress returns a loopback address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	host := "127.0.0.1"
	if runtime.GOOS == "linux" { // all of 127.0.0.0/8 is loopback: no other test uses this address
		host = fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// visit opens a connection, lists the tools, calls add and returns the findings.
func visit(t *testing.T, target wire.Target) []finding.Finding {
	t.Helper()
	return visitFor(t, target, 4*time.Second)
}

// callLimit returns the time limit of a call that is expected to have a finding of this
// kind. Large amounts of data arrive slowly on a busy machine; if there will be no answer,
// a second is enough.
func callLimit(kind finding.Kind) time.Duration {
	switch kind {
	case finding.Flood, finding.TooLarge:
		return time.Minute
	case finding.NoAnswer, finding.NoStart:
		return time.Second
	}
	return 4 * time.Second
}

// faulty returns the server with a fault of the given kind, which may be that it never
// starts.
func faulty(t *testing.T, fault string, kind finding.Kind, listen string) wire.Target {
	t.Helper()
	goal := target(t, fault, listen, "")
	if kind == finding.NoStart {
		goal.StartTimeout = callLimit(kind)
	}
	return goal
}

func visitFor(t *testing.T, target wire.Target, wait time.Duration) []finding.Finding {
	t.Helper()
	c, err := wire.Open(t.Context(), target)
	if start := new(wire.StartError); errors.As(err, &start) {
		return start.Findings
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(t.Context(), "tools/list", "tools"); err != nil {
		t.Log("tools/list:", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	_, err = c.Call(ctx, "tools/call", map[string]any{"name": "add", "arguments": map[string]any{"a": 1, "b": 2}})
	t.Log("tools/call:", err)
	c.Close()
	return c.Findings()
}

// onWire are the kinds that a connection detects itself.
var onWire = []finding.Kind{
	finding.NoStart, finding.WrongRevision, finding.StrayOutput, finding.Malformed, finding.WrongID, finding.NoAnswer, finding.Crash,
	finding.TooLarge, finding.Flood, finding.LeftProcess, finding.NoExit, finding.BadList,
}

// TestFaultsOnTheWire checks that each fault on the wire is found and named, in bounded
// time.
func TestFaultsOnTheWire(t *testing.T) {
	for _, fault := range faultytest.FoundBy(faultytest.ByRun) {
		kind := finding.Kind(fault.Kind)
		if !slices.Contains(onWire, kind) {
			continue
		}
		t.Run(fault.Name, func(t *testing.T) {
			if runtime.GOOS != "linux" && (kind == finding.LeftProcess || kind == finding.NoExit) {
				t.Skip("MISSING: /proc, by which processes outside of a group are found")
			}
			t.Parallel()
			found := visitFor(t, faulty(t, fault.Name, kind, ""), callLimit(kind))
			if !slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Kind == kind }) {
				t.Errorf("%s: want %s, found %v", fault.About, kind, found)
			}
		})
	}
}

// TestSound checks that a server without faults has no findings, in both eras and over both
// transports.
func TestSound(t *testing.T) {
	for _, revision := range append(wire.Revisions, "") {
		for _, transport := range []string{"stdio", "http"} {
			t.Run(transport+" "+revision, func(t *testing.T) {
				t.Parallel()
				listen := ""
				if transport == "http" {
					listen = freeAddress(t)
				}
				if found := visit(t, target(t, "", listen, revision)); len(found) > 0 {
					t.Error(found)
				}
			})
		}
	}
}

// TestErasAsserted checks that a server of one era is refused if a suite requires the
// other, and is used in its own era if the suite requires none.
func TestErasAsserted(t *testing.T) {
	for _, c := range []struct{ faults, revision, agreed string }{
		{"legacy-only", "", "2025-11-25"},
		{"legacy-only", "2025-06-18", "2025-06-18"},
		{"legacy-only", wire.Modern, ""},
		{"modern-only", "", wire.Modern},
		{"modern-only", wire.Modern, wire.Modern},
		{"modern-only", "2025-11-25", ""},
	} {
		t.Run(c.faults+" "+c.revision, func(t *testing.T) {
			conn, err := wire.Open(t.Context(), target(t, c.faults, "", c.revision))
			if c.agreed == "" {
				if start := new(wire.StartError); !errors.As(err, &start) || len(start.Findings) == 0 {
					t.Fatalf("the server was accepted: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			if found := conn.Findings(); conn.Revision != c.agreed || len(found) > 0 {
				t.Errorf("agreed on %s, found %v", conn.Revision, found)
			}
		})
	}
}

// TestFaultsOverHTTP checks that faults that can also occur over HTTP are found there.
func TestFaultsOverHTTP(t *testing.T) {
	for fault, kind := range map[string]finding.Kind{
		"garbage": finding.Malformed, "wrong-id": finding.WrongID, "silent-call": finding.NoAnswer, "crash-call": finding.Crash,
		"huge-answer": finding.TooLarge, "silent-start": finding.NoStart, "child-detached": finding.LeftProcess,
		"unknown-revision": finding.WrongRevision, "result-and-error": finding.Malformed, "endless-pages": finding.BadList,
	} {
		t.Run(fault, func(t *testing.T) {
			if runtime.GOOS != "linux" && kind == finding.LeftProcess {
				t.Skip("MISSING: /proc, by which processes outside of a group are found")
			}
			t.Parallel()
			found := visitFor(t, faulty(t, fault, kind, freeAddress(t)), callLimit(kind))
			if !slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Kind == kind }) {
				t.Errorf("want %s, found %v", kind, found)
			}
		})
	}
}

// TestTooLargeForHTTP checks that HTTP may refuse a request because of its size before the
// message is read, but only a large one.
func TestTooLargeForHTTP(t *testing.T) {
	goal := target(t, "", freeAddress(t), wire.Modern)
	to, err := url.Parse(goal.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: to.Scheme, Host: to.Host})
	front := httptest.NewUnstartedServer(proxy)
	front.Config.MaxHeaderBytes = 8 << 10
	front.Start()
	t.Cleanup(front.Close)
	server, err := wire.Open(t.Context(), goal)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	c, err := wire.Open(t.Context(), wire.Target{URL: front.URL + "/mcp", Revision: wire.Modern, StartTimeout: 8 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	reply, err := c.Call(t.Context(), "tools/call", map[string]any{"name": strings.Repeat("x", 64<<10), "arguments": map[string]any{}})
	if found := c.Findings(); err != nil || reply.Error == nil || !strings.Contains(reply.Error.Message, "431") || len(found) > 0 {
		t.Errorf("a long name: %+v, %v, %v", reply, err, found)
	}
	for _, status := range []int{http.StatusRequestHeaderFieldsTooLarge, http.StatusRequestEntityTooLarge} {
		refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		_, err := wire.Open(t.Context(), wire.Target{URL: refuses.URL, StartTimeout: 8 * time.Second})
		start := new(wire.StartError)
		malformed := func(f finding.Finding) bool { return f.Kind == finding.Malformed }
		if !errors.As(err, &start) || !slices.ContainsFunc(start.Findings, malformed) {
			t.Errorf("status %d for a small request: %v, %v", status, err, start.Findings)
		}
		refuses.Close()
	}
}

// TestServerRequests checks that requests of the server are a finding only if the revision
// forbids them.
func TestServerRequests(t *testing.T) {
	for revision, want := range map[string]int{wire.Modern: 1, "2025-11-25": 0} {
		if found := visit(t, target(t, "ask-client", "", revision)); len(found) != want {
			t.Errorf("%s: %v", revision, found)
		}
	}
}

// TestNothingThere checks that the error for a server that cannot be started names it.
func TestNothingThere(t *testing.T) {
	for name, goal := range map[string]wire.Target{
		"program": {Process: process.Spec{Command: []string{"no-such-program-anywhere"}}, StartTimeout: time.Second},
		"address": {URL: "http://" + freeAddress(t) + "/mcp", StartTimeout: time.Second},
	} {
		_, err := wire.Open(t.Context(), goal)
		if start := new(wire.StartError); !errors.As(err, &start) || len(start.Findings) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
