package stdio_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"example.org/bridge/internal/stdio"
)

// TestNotifyOnce checks that while a client does not read, a notification is queued only
// once however often it is sent, and that it is queued again after the client has read it.
// The id of a request is reported as the client wrote it.
func TestNotifyOnce(t *testing.T) {
	in, out := io.Pipe()
	read, write := io.Pipe()
	transport := &stdio.Transport{In: in, Out: write}
	ids := make(chan string, 1)
	y := newToy()
	server := y.server(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if id, ok := stdio.RequestID(ctx); ok && method == "ping" {
				ids <- string(transport.WireID(id))
			}
			return next(ctx, method, req)
		}
	})
	served := make(chan error, 1)
	go func() { served <- stdio.Serve(t.Context(), server, transport) }()
	lines := bufio.NewReader(read)
	next := func() string {
		t.Helper()
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	_, _ = fmt.Fprintln(out, hello("2025-11-25"))
	next()
	_, _ = fmt.Fprintln(out, ping("123456789012345678901234"))
	if id := <-ids; id != "123456789012345678901234" {
		t.Errorf("the id is %s", id)
	}
	next()
	for range 2 {
		for range 1000 {
			if !transport.Notify("notifications/x", map[string]any{"uri": "a"}) || !transport.Notify("notifications/x", map[string]any{"uri": "b"}) {
				t.Fatal("it was too late")
			}
		}
		_, _ = fmt.Fprintln(out, ping(`"behind"`))
		<-ids
		got := ""
		for line := next(); !strings.Contains(line, "behind"); line = next() {
			got += line
		}
		// The first may already have been written when the rest was sent.
		if a, b := strings.Count(got, `"a"`), strings.Count(got, `"b"`); a < 1 || a > 2 || b < 1 || b > 2 {
			t.Errorf("received %d and %d of 1000", a, b)
		}
	}
	_ = out.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if transport.Notify("notifications/x", nil) {
		t.Error("a notification was accepted after the end")
	}
}
