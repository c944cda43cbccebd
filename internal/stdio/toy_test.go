package stdio_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"example.org/bridge/internal/stdio"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// toy is a server whose tools exercise the behaviour of a transport.
type toy struct {
	started  chan string   // the name of each call of "wait" that has started
	release  chan struct{} // closed to let every "wait" return
	stubborn chan struct{} // closed to let every "ignore" return
	once     sync.Once
}

func newToy() *toy {
	return &toy{started: make(chan string, 100), release: make(chan struct{}), stubborn: make(chan struct{})}
}

func (y *toy) drain() { y.once.Do(func() { close(y.release) }) }

type toyIn struct {
	Text string `json:"text"`
}

type toyOut struct {
	Text string `json:"text"`
}

func (y *toy) server(middleware ...mcp.Middleware) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "toy", Version: "1"}, nil)
	add := func(name string, run func(ctx context.Context, text string) (string, error)) {
		mcp.AddTool(s, &mcp.Tool{Name: name}, func(ctx context.Context, _ *mcp.CallToolRequest, in toyIn) (*mcp.CallToolResult, toyOut, error) {
			text, err := run(ctx, in.Text)
			return nil, toyOut{text}, err
		})
	}
	add("echo", func(_ context.Context, text string) (string, error) { return text, nil })
	add("panic", func(_ context.Context, text string) (string, error) { panic("secret " + text) })
	add("wait", func(ctx context.Context, text string) (string, error) {
		y.started <- text
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-y.release:
			return "released " + text, nil
		}
	})
	add("ignore", func(_ context.Context, text string) (string, error) {
		y.started <- text
		<-y.stubborn
		return text, nil
	})
	s.AddReceivingMiddleware(middleware...)
	return s
}

// settlement records one call of Settled.
type settlement struct {
	id      any
	written bool
}

// settlements records the calls of Settled.
type settlements struct {
	mu  sync.Mutex
	all []settlement
}

func (s *settlements) add(resp *jsonrpc.Response, written bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, settlement{resp.ID.Raw(), written})
}

func (s *settlements) byID() map[any]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	fates := make(map[any]bool)
	for _, one := range s.all {
		fates[one.id] = one.written
	}
	return fates
}

func (s *settlements) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

const initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`

func hello(version string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":%q,"capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`, version) + "\n" + initialized
}

func ping(id string) string { return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"ping"}`, id) }

func callTool(id, tool, text string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":%q,"arguments":{"text":%s}}}`, id, tool, text)
}

func cancelled(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, id)
}

// answer is a response as the client decodes it.
type answer struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result"`
	Error   *jsonrpc.Error  `json:"error"`
}

// text returns the text of a tool's structured result.
func (a answer) text() string {
	var result struct {
		StructuredContent toyOut `json:"structuredContent"`
	}
	if json.Unmarshal(a.Result, &result) != nil {
		return ""
	}
	return result.StructuredContent.Text
}

// brief formats an answer as its id followed by the error's code or "ok".
func (a answer) brief() string {
	if a.Error != nil {
		return fmt.Sprintf("%s %d", a.ID, a.Error.Code)
	}
	return string(a.ID) + " ok"
}

// parseLine reads one line of output, which must be valid JSON-RPC.
func parseLine(t *testing.T, line []byte) []answer {
	t.Helper()
	var answers []answer
	if len(line) > 0 && line[0] == '[' {
		if err := json.Unmarshal(line, &answers); err != nil || len(answers) == 0 {
			t.Fatalf("output %.200q is not a batch: %v", line, err)
		}
	} else {
		answers = make([]answer, 1)
		if err := json.Unmarshal(line, &answers[0]); err != nil {
			t.Fatalf("output %.200q is not a JSON object: %v", line, err)
		}
	}
	for _, a := range answers {
		if a.Version != "2.0" || (a.Result == nil) == (a.Error == nil) || a.ID == nil {
			t.Fatalf("output %.200q is not a JSON-RPC response", line)
		}
	}
	return answers
}

// pipeline serves the input until its end and returns the lines of output.
func pipeline(t *testing.T, input io.Reader) [][]answer {
	t.Helper()
	var out bytes.Buffer
	y := newToy()
	err := stdio.Serve(t.Context(), y.server(), &stdio.Transport{In: input, Out: &out, Draining: y.drain})
	if err != nil {
		t.Fatalf("Serve: %v", err)
	}
	var lines [][]answer
	for line := range bytes.Lines(out.Bytes()) {
		if line[len(line)-1] != '\n' {
			t.Fatalf("output %.200q lacks its newline", line)
		}
		lines = append(lines, parseLine(t, bytes.TrimSpace(line)))
	}
	return lines
}

// briefs returns the brief forms of a pipeline's answers, without the one to the handshake.
func briefs(t *testing.T, input string) []string {
	t.Helper()
	var got []string
	for _, line := range pipeline(t, strings.NewReader(input)) {
		var parts []string
		for _, a := range line {
			parts = append(parts, a.brief())
		}
		if s := strings.Join(parts, ", "); s != `"hello" ok` {
			got = append(got, s)
		}
	}
	return got
}

// client talks to a server over pipes, line by line.
type client struct {
	t       *testing.T
	in      *io.PipeWriter
	lines   *bufio.Reader
	out     *io.PipeReader
	settled settlements
	done    chan error
}

// dial serves y to a new client and performs the handshake.
func dial(ctx context.Context, t *testing.T, y *toy, changes ...func(*stdio.Transport)) *client {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	c := &client{t: t, in: inW, out: outR, lines: bufio.NewReader(outR), done: make(chan error, 1)}
	transport := &stdio.Transport{In: inR, Out: outW, Settled: c.settled.add, Draining: y.drain}
	for _, change := range changes {
		change(transport)
	}
	go func() { c.done <- stdio.Serve(ctx, y.server(), transport) }()
	t.Cleanup(func() { _ = inW.Close(); _ = outR.Close() })
	c.send(hello("2025-06-18"))
	if got := c.receive().brief(); got != `"hello" ok` {
		t.Fatalf("handshake answered with %s", got)
	}
	return c
}

func (c *client) send(lines ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, strings.Join(lines, "\n")+"\n"); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

func (c *client) receive() answer {
	c.t.Helper()
	line, err := c.lines.ReadBytes('\n')
	if err != nil {
		c.t.Fatalf("receive: %v", err)
	}
	return parseLine(c.t, bytes.TrimSpace(line))[0]
}
