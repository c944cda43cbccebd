package stdio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/bridge/internal/stdio"
	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestBatches(t *testing.T) {
	many := "[" + strings.Repeat("1,", 1000) + "1]"
	mixed := `[` + ping("1") + `,1,` + initialized + `,{"jsonrpc":"2.0","id":2},` + callTool("3", "echo", `"x"`) + `,` + ping("3") + `]`
	tests := []struct {
		name, version, batch string
		want                 []string
	}{
		{"one", "2025-03-26", `[` + ping("1") + `]`, []string{"1 ok"}},
		{"oldest", "2024-11-05", `[` + ping("1") + `,` + ping("2") + `]`, []string{"1 ok, 2 ok"}},
		{"mixed", "2025-03-26", mixed, []string{"1 ok, null -32600, 2 -32600, 3 ok, null -32600"}},
		{"notifications", "2025-03-26", `[` + initialized + `]`, nil},
		{"responses", "2025-03-26", `[{"jsonrpc":"2.0","id":1,"result":{}}]`, nil},
		{"nothing good", "2025-03-26", `[1]`, []string{"null -32600"}},
		{"empty", "2025-03-26", `[ ]`, []string{"null -32600"}},
		{"nested", "2025-03-26", `[[` + ping("1") + `]]`, []string{"null -32600"}},
		{"handshake inside", "2025-03-26", `[{"jsonrpc":"2.0","id":1,"method":"initialize"}]`, []string{"1 -32600"}},
		{"too many", "2025-03-26", many, []string{"null -32600"}},
		{"two with one id", "2025-03-26", `[` + ping("1") + `,` + ping("1.0") + `]`, []string{"1 ok, null -32600"}},
		{"newer", "2025-06-18", `[` + ping("1") + `]`, []string{"null -32600"}},
		{"newest with handshake", "2025-11-25", `[` + ping("1") + `]`, []string{"null -32600"}},
		{"unknown", "1999-01-01", `[` + ping("1") + `]`, []string{"null -32600"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := briefs(t, hello(tt.version)+"\n"+tt.batch+"\n")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A client of revision 2026-07-28 sends no handshake: every request states its protocol
// version. Its subscription stays open, and the session does not wait for its answer.
func TestClientWithoutHandshake(t *testing.T) {
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	input := `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta + `}}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"text":"x"},` + meta + `}}
{"jsonrpc":"2.0","id":3,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + meta + `}}
[` + ping("4") + `]
`
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var out bytes.Buffer
		if err := stdio.Serve(t.Context(), newToy().server(), &stdio.Transport{In: strings.NewReader(input), Out: &out}); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited > 0 {
			t.Errorf("Serve waited %v", waited)
		}
		got := map[string]bool{}
		for line := range bytes.Lines(out.Bytes()) {
			if !bytes.Contains(line, []byte(`"method"`)) { // the subscription is acknowledged with a notification
				got[parseLine(t, bytes.TrimSpace(line))[0].brief()] = true
			}
		}
		if want := map[string]bool{"1 ok": true, "2 ok": true, "null -32600": true}; !cmp.Equal(want, got) {
			t.Errorf("answers %v, want %v", got, want)
		}
	})
}

func TestCancelledRequestIsNotAnswered(t *testing.T) {
	for _, id := range []string{`7`, `"seven"`, `90071992547409931`} {
		t.Run(id, func(t *testing.T) {
			y := newToy()
			c := dial(t.Context(), t, y)
			c.send(callTool(id, "wait", `""`), callTool(`"other"`, "wait", `""`))
			<-y.started
			<-y.started
			c.send(cancelled(id), cancelled(id), cancelled(`"hello"`), ping(`"p"`))
			if got := c.receive().brief(); got != `"p" ok` {
				t.Errorf("first answer is %s", got)
			}
			_ = c.in.Close()
			if got := c.receive().brief(); got != `"other" ok` {
				t.Errorf("second answer is %s", got)
			}
			if err := <-c.done; err != nil {
				t.Errorf("Serve: %v", err)
			}
			fates := c.settled.byID()
			if len(fates) != 4 || !fates["other"] || !fates["p"] || c.settled.count() != 4 {
				t.Errorf("settled %v", fates)
			}
		})
	}
}

func TestBatchLeavesOutWhatWasCancelled(t *testing.T) {
	for _, also := range []string{"", "," + ping("2")} {
		y := newToy()
		inR, inW := io.Pipe()
		var out bytes.Buffer
		var settled settlements
		done := make(chan error, 1)
		go func() {
			done <- stdio.Serve(t.Context(), y.server(), &stdio.Transport{In: inR, Out: &out, Settled: settled.add, Draining: y.drain})
		}()
		_, _ = io.WriteString(inW, hello("2025-03-26")+"\n["+callTool("1", "wait", `""`)+also+"]\n")
		<-y.started
		_, _ = io.WriteString(inW, cancelled("1")+"\n")
		_ = inW.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		lines := bytes.Count(out.Bytes(), []byte{'\n'})
		if also == "" && lines != 1 {
			t.Errorf("a batch with nothing to say gave %d lines", lines-1)
		}
		if also != "" && !bytes.HasSuffix(out.Bytes(), []byte("[{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}]\n")) {
			t.Errorf("output %s", out.Bytes())
		}
		if written, told := settled.byID()[int64(1)]; written || !told {
			t.Errorf("the cancelled request is settled %v, %v", written, told)
		}
	}
}

func TestDuplicateIDInFlight(t *testing.T) {
	y := newToy()
	c := dial(t.Context(), t, y)
	c.send(callTool("1", "wait", `"first"`))
	<-y.started
	c.send(ping("1"))
	if got := c.receive().brief(); got != "null -32600" {
		t.Errorf("the second request was answered with %s", got)
	}
	c.send(`{"jsonrpc":"1.0","id":1,"method":"ping"}`)
	if got := c.receive().brief(); got != "null -32600" {
		t.Errorf("the faulty request was answered with %s", got)
	}
	y.drain()
	if got := c.receive().text(); got != "released first" {
		t.Errorf("the first request was answered with %q", got)
	}
	c.send(ping("1"))
	if got := c.receive().brief(); got != "1 ok" {
		t.Errorf("the id used again was answered with %s", got)
	}
}

// An id may be reused as soon as its answer has been read.
func TestIDsMayBeReused(t *testing.T) {
	c := dial(t.Context(), t, newToy())
	for range 500 {
		c.send(ping("1"))
		if got := c.receive().brief(); got != "1 ok" {
			t.Fatalf("answered with %s", got)
		}
	}
}

func TestPanicIsAnInternalError(t *testing.T) {
	var log bytes.Buffer
	c := dial(t.Context(), t, newToy(), func(transport *stdio.Transport) {
		transport.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	c.send(callTool("1", "panic", `"password"`))
	a := c.receive()
	if a.brief() != "1 -32603" || strings.Contains(a.Error.Message, "password") || strings.Contains(a.Error.Message, "goroutine") {
		t.Errorf("answered with %s %+v", a.brief(), a.Error)
	}
	c.send(ping("2"))
	if got := c.receive().brief(); got != "2 ok" {
		t.Errorf("after the panic: %s", got)
	}
	_ = c.in.Close()
	if err := <-c.done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if text := log.String(); !strings.Contains(text, "goroutine") || !strings.Contains(text, "level=ERROR") || strings.Contains(text, "password") {
		t.Errorf("log: %s", text)
	}
}

// A client that writes all its requests before it reads anything gets all answers.
func TestSlowReaderDoesNotDeadlock(t *testing.T) {
	const n = 3000
	c := dial(t.Context(), t, newToy())
	for i := range n {
		c.send(ping(fmt.Sprint(i)), "garbage")
	}
	good, bad := 0, 0
	for range 2 * n {
		if c.receive().Error == nil {
			good++
		} else {
			bad++
		}
	}
	if good != n || bad != n {
		t.Errorf("%d answers and %d errors, want %d of each", good, bad, n)
	}
}

// Output that the client does not read must not fill the memory.
func TestUnreadAnswersHoldTheInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		outR, outW := io.Pipe()
		in := new(garbage)
		done := make(chan error, 1)
		go func() { done <- stdio.Serve(ctx, newToy().server(), &stdio.Transport{In: in, Out: outW}) }()
		synctest.Wait()
		if in.read < 1000 || in.read > 1<<20 {
			t.Errorf("%d bytes of garbage were read although no answer was", in.read)
		}
		_ = outR.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		cancel()
	})
}

// garbage is an endless input of short malformed lines.
type garbage struct{ read int }

func (g *garbage) Read(p []byte) (int, error) {
	n := copy(p, "x\n")
	g.read += n
	return n, nil
}

func TestOneWriteAFrame(t *testing.T) {
	var mu sync.Mutex
	var writes [][]byte
	out := writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		writes = append(writes, bytes.Clone(p))
		return len(p), nil
	})
	var input strings.Builder
	input.WriteString(hello("2025-06-18"))
	for i := range 200 {
		input.WriteString("\n" + callTool(fmt.Sprint(i), "echo", `"line\nline\u2028line"`) + "\nx")
	}
	if err := stdio.Serve(t.Context(), newToy().server(), &stdio.Transport{In: strings.NewReader(input.String()), Out: out}); err != nil {
		t.Fatal(err)
	}
	if len(writes) != 401 {
		t.Errorf("%d writes, want 401", len(writes))
	}
	for _, w := range writes {
		if bytes.IndexByte(w, '\n') != len(w)-1 {
			t.Errorf("a write of %q is not one line", w)
		}
		parseLine(t, bytes.TrimSpace(w))
	}
}

func TestSettledComesBeforeTheNextWrite(t *testing.T) {
	var order []string
	out := writerFunc(func(p []byte) (int, error) {
		order = append(order, "write")
		return len(p), nil
	})
	settled := func(_ *jsonrpc.Response, written bool) { order = append(order, fmt.Sprint("settled ", written)) }
	input := ping("1") + "\n" + ping("2")
	if err := stdio.Serve(t.Context(), newToy().server(), &stdio.Transport{In: strings.NewReader(input), Out: out, Settled: settled}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"write", "settled true", "write", "settled true"}, order); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRequestID(t *testing.T) {
	var mu sync.Mutex
	seen := make(map[any]bool)
	middleware := func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			id, ok := stdio.RequestID(ctx)
			mu.Lock()
			seen[id.Raw()] = ok
			mu.Unlock()
			return next(ctx, method, req)
		}
	}
	var settled settlements
	input := ping("1") + "\n" + ping(`"1"`) + "\n" + ping("90071992547409931") + "\n" + `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}`
	err := stdio.Serve(t.Context(), newToy().server(middleware), &stdio.Transport{In: strings.NewReader(input), Out: io.Discard, Settled: settled.add})
	if err != nil {
		t.Fatal(err)
	}
	if ok, called := seen[nil]; ok || !called {
		t.Errorf("a notification has an id: %v, was handled: %v", ok, called)
	}
	delete(seen, nil)
	if diff := cmp.Diff(settled.byID(), seen); diff != "" {
		t.Errorf("handlers and Settled disagree:\n%s", diff)
	}
}

// The log must not contain the content of a message.
func TestLogHoldsNoContent(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	input := hello("2025-06-18") + "\nhunter2\n" + `{"hunter2":1}` + "\n" + callTool("1", "echo", `"hunter2"`) + "\n" + `["hunter2"]`
	err := stdio.Serve(t.Context(), newToy().server(), &stdio.Transport{In: strings.NewReader(input), Out: io.Discard, Log: logger})
	if err != nil {
		t.Fatal(err)
	}
	if text := log.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "-32700") {
		t.Errorf("log: %s", text)
	}
}
