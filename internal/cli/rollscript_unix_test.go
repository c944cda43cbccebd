//go:build unix

package cli_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/postgres/postgrestest"
	"example.org/bridge/internal/programtest"
)

// front simulates the proxy in front of two gateways. It forwards bytes to the address
// in a file, which it reads for each connection.
type front struct {
	net.Listener
	target string
	away   atomic.Int64 // connections for which no gateway was available
}

func newFront(t *testing.T, dir string) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	f := &front{Listener: l, target: filepath.Join(dir, "target")}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.pass(c)
		}
	}()
	return f
}

func (f *front) pass(c net.Conn) {
	defer func() { _ = c.Close() }()
	to, err := f.dial()
	if err != nil {
		f.away.Add(1)
		return
	}
	defer func() { _ = to.Close() }()
	var ways sync.WaitGroup
	for _, way := range [2][2]net.Conn{{to, c}, {c, to}} {
		ways.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			if half, ok := way[0].(*net.TCPConn); ok {
				_ = half.CloseWrite()
			}
		})
	}
	ways.Wait()
}

// dial connects to the gateway. If the address changed in the meantime, it connects to
// the new one.
func (f *front) dial() (net.Conn, error) {
	for before := ""; ; {
		address, err := os.ReadFile(f.target)
		if err != nil {
			return nil, err
		}
		to, err := net.Dial("tcp", strings.TrimSpace(string(address)))
		if err == nil || string(address) == before {
			return to, err
		}
		before = string(address)
	}
}

// rollingScript runs roll-gateway.sh for a store.
type rollingScript struct {
	place          *installation
	folder, change string
	ports          [2]string
}

func newRollingScript(t *testing.T, place *installation, f *front) *rollingScript {
	t.Helper()
	s := &rollingScript{place: place, folder: filepath.Join(place.dir, "rolling"), change: filepath.Join(place.dir, "switch")}
	text := "#!/bin/sh\necho \"$1\" >'" + f.target + ".new' && mv '" + f.target + ".new' '" + f.target + "'\n"
	programtest.Write(t, s.change, []byte(text))
	for n := range s.ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		_, s.ports[n], _ = net.SplitHostPort(l.Addr().String())
	}
	t.Cleanup(func() {
		for _, of := range []string{"gateway", "next"} {
			if pid := s.noted(of); pid > 0 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
	return s
}

// current returns the process of the gateway in use.
func (s *rollingScript) current() (pid int) { return s.noted("gateway") }

// noted returns the process recorded in a file of the script.
func (s *rollingScript) noted(of string) (pid int) {
	text, err := os.ReadFile(filepath.Join(s.folder, of))
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscan(string(text), &pid)
	return pid
}

func (s *rollingScript) run(change string, flags ...string) (string, error) {
	return s.runProgram(s.place.program, change, flags...)
}

// runProgram runs the script with another program for the next gateway.
func (s *rollingScript) runProgram(program, change string, flags ...string) (string, error) {
	script := exec.Command("../../scripts/production/roll-gateway.sh", append([]string{s.folder, change, s.ports[0], s.ports[1]}, flags...)...)
	script.Env = append(slices.Clone(s.place.env), "BRIDGE="+program, "PATH="+os.Getenv("PATH"))
	out, err := script.CombinedOutput()
	return string(out), err
}

// TestRollingScript replaces a gateway with the operators' script, several times under
// the traffic of two machines that only connect, and of a client that calls /mcp
// directly and never retries. No client may see an error, and each acknowledged message
// must be delivered once. If the next gateway does not start, or the proxy does not
// change, the old gateway must stay in place.
func TestRollingScript(t *testing.T) {
	t.Parallel()
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		place := install(t)
		place.run(t, "serve")
		rollUnderTraffic(t, place)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		server := postgrestest.ForTest(t)
		place := install(t, "XDG_STATE_HOME="+t.TempDir())
		place.env = append(place.env, "BRIDGE_DB="+server.Schema())
		place.run(t, "store", "init")
		rollUnderTraffic(t, place)
	})
}

// write writes a program for the test.
func (s *rollingScript) write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(s.place.dir, name)
	programtest.Write(t, path, []byte("#!/bin/sh\n"+text+"\n"))
	return path
}

// TestRollingScriptStaleLog checks that the script does not rely on the log of an
// earlier gateway on the same port. The program does not start, so the proxy must not
// be sent to it.
func TestRollingScriptStaleLog(t *testing.T) {
	t.Parallel()
	s := newRollingScript(t, install(t), newFront(t, t.TempDir()))
	switched := filepath.Join(s.place.dir, "switched")
	change := s.write(t, "marks", "touch '"+switched+"'")
	fails := s.write(t, "fails", "sleep 0.2\nexit 1")
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		if err := os.WriteFile(filepath.Join(s.folder, s.ports[0]+".log"), []byte(`{"msg":"the gateway listens"}`+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := s.runProgram(fails, change); err == nil || !strings.Contains(out, "ended") {
			t.Errorf("run %d: %v: %s", n, err, out)
		}
	}
	if _, err := os.Stat(switched); err == nil {
		t.Error("the proxy was sent to a gateway that does not run")
	}
	if pid := s.current(); pid != 0 {
		t.Errorf("process %d is recorded as a gateway", pid)
	}
}

// TestRollingScriptKilled checks that a run killed at any step leaves a state from
// which the next run can continue, and at most one gateway. The amount of logging must
// not matter.
func TestRollingScriptKilled(t *testing.T) {
	t.Parallel()
	place := install(t, "BRIDGE_LOG_LEVEL=warn", "COLUMNS=20")
	place.run(t, "serve")
	s := newRollingScript(t, place, newFront(t, place.dir))
	if out, err := s.run(s.change, "--log-format", "text"); err != nil {
		t.Fatalf("the first gateway: %v: %s", err, out)
	}
	killed := func(program, change string) (next int) {
		t.Helper()
		if out, err := s.runProgram(program, change); err == nil {
			t.Errorf("it was not killed: %s", out)
		}
		bridgetest.Eventually(t, "a gateway that is left", func() bool { return s.noted("next") > 0 })
		if err := os.Remove(filepath.Join(s.folder, "rolling")); err != nil {
			t.Error(err)
		}
		return s.noted("next")
	}
	rolled := func(after string, gone ...int) {
		t.Helper()
		out, err := s.run(s.change)
		if err != nil {
			t.Errorf("after %s: %v: %s", after, err, out)
		}
		for _, pid := range gone {
			if running(pid) {
				t.Errorf("after %s the gateway %d runs", after, pid)
			}
		}
		if !running(s.current()) {
			t.Errorf("after %s no gateway runs", after)
		}
	}
	first := s.current()
	kills := s.write(t, "kills", "kill -9 $PPID\nexec '"+place.program+"' \"$@\"")
	rolled("a kill before the switch", first, killed(kills, s.change))
	first = s.current()
	dies := s.write(t, "dies", "'"+s.change+"' \"$1\"; kill -9 $PPID")
	rolled("a kill behind the switch", first, killed(place.program, dies))
	first = s.current()
	asked := s.write(t, "asked", "'"+s.change+"' \"$1\"; kill -TERM $PPID")
	if out, err := s.run(asked); err != nil || s.current() == first || running(first) {
		t.Errorf("a signal behind the switch: %v: %s", err, out)
	}
	first = s.current()
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.folder, "gateway"), nil, 0o600); err != nil { // as after a power failure
		t.Fatal(err)
	}
	rolled("a power cut", first)
}

// running reports whether a process is running. A zombie is not.
func running(pid int) bool {
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

func rollUnderTraffic(t *testing.T, place *installation) {
	t.Helper()
	const rolls = 3
	f := newFront(t, place.dir)
	s := newRollingScript(t, place, f)
	if out, err := s.run(s.change); err != nil {
		t.Fatalf("the first gateway: %v: %s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	g := &runningGateway{place: place, roots: place.authority(t)}
	g.address.Store(f.Addr().String())
	one, two := place.machine(t), place.machine(t)
	one.joins(t, g, "one")
	two.joins(t, g, "two")
	w := &rolledWork{writer: one.mustConnect(t, bridge.Credentials{}), reader: two.mustConnect(t, bridge.Credentials{})}
	w.start(ctx, t)
	raw := &rolled{caller: g.caller(t, "raw")} // it keeps its connection, and never retries
	raw.must(ctx, t, "create_conversation", map[string]any{"my_role": "raw", "partner_role": "nobody"})
	w.work.Go(func() {
		for !w.ended.Load() && !t.Failed() {
			raw.must(ctx, t, "check_messages", map[string]any{"wait_seconds": 0})
		}
	})
	for range rolls {
		if out, err := s.run("/bin/false"); err == nil || !strings.Contains(out, "failed") {
			t.Errorf("a proxy that does not change: %v: %s", err, out)
		}
		before, until := s.current(), w.sent.Load()+10
		if out, err := s.run(s.change); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		if running(before) {
			t.Error("the old gateway runs")
		}
		bridgetest.Eventually(t, "messages through the next gateway", func() bool { return w.sent.Load() > until || t.Failed() })
	}
	before := s.current()
	if out, err := s.run(s.change, "--max-connections", "0"); err == nil || !strings.Contains(out, "ended") {
		t.Errorf("a next gateway that does not start: %v: %s", err, out)
	}
	if s.current() != before || !running(before) {
		t.Error("the old gateway did not go on")
	}
	w.end(t)
	if n := f.away.Load(); n > 0 {
		t.Errorf("%d connections found no gateway", n)
	}
	place.run(t, "audit", "verify")
	t.Logf("%d gateways one after the other, %d messages sent, %d calls over connections that are kept, no call failed", rolls+1, w.sent.Load(), raw.begun.Load())
}

// rolledWork is a writer and a reader for which any error is a failure.
type rolledWork struct {
	writer, reader *client
	ended, written atomic.Bool
	sent           atomic.Int64
	received       journal
	work           sync.WaitGroup
}

func (w *rolledWork) start(ctx context.Context, t *testing.T) {
	t.Helper()
	must := func(c *client, tool string, args map[string]any) map[string]any {
		data, failed, err := c.call(ctx, tool, args)
		if err != nil || failed {
			t.Errorf("%s: %v: %v", tool, err, data)
			return nil
		}
		return data
	}
	created := must(w.writer, "create_conversation", map[string]any{"my_role": "writer", "partner_role": "reader"})
	must(w.reader, "join_conversation", map[string]any{"join_code": created["join_code"]})
	w.work.Go(func() {
		defer w.written.Store(true)
		for !w.ended.Load() && !t.Failed() {
			if must(w.writer, "send_to_partner", map[string]any{"message": fmt.Sprint(w.sent.Load() + 1)}) != nil {
				w.sent.Add(1)
			}
		}
	})
	w.work.Go(func() {
		for !t.Failed() {
			last := w.written.Load()
			data := must(w.reader, "check_messages", map[string]any{"wait_seconds": 1})
			w.received.note(data)
			if messages, _ := data["messages"].([]any); last && len(messages) == 0 {
				return
			}
		}
	})
}

// end lets the reader fetch what is left, and checks what it received.
func (w *rolledWork) end(t *testing.T) {
	t.Helper()
	w.ended.Store(true)
	w.work.Wait()
	if w.sent.Load() == 0 {
		t.Error("nothing was sent")
	}
	for _, problem := range w.received.problems(w.sent.Load()) {
		t.Error(problem)
	}
	if w.received.again > 0 {
		t.Errorf("%d messages came again", w.received.again)
	}
}
