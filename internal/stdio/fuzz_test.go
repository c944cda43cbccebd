package stdio_test

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"example.org/bridge/internal/stdio"
)

// FuzzFrames sends arbitrary input and then a ping, which must still be answered. Every
// line of output must be valid JSON-RPC, and every request must be answered.
func FuzzFrames(f *testing.F) {
	for _, seed := range []string{
		"", "\n\r\n \t", "garbage", "\xff\xfe\x00", "[]", "[[]]", "{}", "null", `"`, "\ufeff{}",
		ping("1"), ping(`"\ud800"`), ping("1.5"), ping("9007199254740993"), ping("1") + "\n" + ping("1"), ping("1") + ping("2"),
		hello("2025-03-26") + "\n[" + ping("1") + ",1," + initialized + "," + ping("1") + "," + cancelled("1") + "]",
		hello("2025-06-18") + "\n" + callTool("1", "echo", `"x"`) + "\n" + cancelled("1"),
		hello("2025-06-18") + "\n" + callTool("1", "wait", `"x"`) + "\n" + callTool("1", "wait", `"x"`),
		hello("2025-06-18") + "\n" + `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}`,
		hello("2025-06-18") + "\n" + `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}`,
		hello("2025-06-18") + "\n" + `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"x"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}`, `{"jsonrpc":"2.0","id":1,"error":{"code":1}}`, `{"jsonrpc":"2.0","id":1,"error":[]}`,
	} {
		f.Add([]byte(seed))
	}
	last := []byte("\n" + ping(`"the last ping"`))
	f.Fuzz(func(t *testing.T, garbage []byte) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now() // in a bubble, time advances only while all goroutines are blocked
			out := serveGarbage(t, io.MultiReader(bytes.NewReader(garbage), bytes.NewReader(last)))
			if waited := time.Since(start); waited > 0 {
				t.Errorf("the session waited for a request until its time limit, %v", waited)
			}
			answered := false
			for line := range bytes.Lines(out) {
				if bytes.HasPrefix(line, []byte(`{"jsonrpc":"2.0","method":"notifications/`)) {
					continue
				}
				for _, a := range parseLine(t, bytes.TrimSuffix(line, []byte{'\n'})) {
					answered = answered || a.brief() == `"the last ping" ok`
				}
			}
			if !answered {
				t.Errorf("the last ping is not answered in %q", out)
			}
		})
	})
}

func serveGarbage(t *testing.T, input io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	y := newToy()
	close(y.stubborn)
	err := stdio.Serve(t.Context(), y.server(), &stdio.Transport{
		In:       input,
		Out:      &out,
		Draining: y.drain,
	})
	if err != nil {
		t.Fatalf("Serve: %v", err)
	}
	return out.Bytes()
}
