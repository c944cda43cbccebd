package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/bridge/internal/bridge"
	"example.org/bridge/internal/bridgetest"
	"example.org/bridge/internal/racetest"
)

const handshake = `{"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
`

// TestTorture sends the real program input that no client should send. Each must be
// answered as JSON-RPC requires, and so must the ping after it.
func TestTorture(t *testing.T) {
	i := install(t)
	for name, c := range map[string]struct{ input, want string }{
		"bad JSON":            {`{"jsonrpc": nonsense`, `"code":-32700`},
		"trailing text":       {`{"jsonrpc":"2.0","id":1,"method":"ping"} and more`, `"code":-32700`},
		"invalid UTF-8":       {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\xff\"}", `"code":-32700`},
		"empty batch":         {`[]`, `"code":-32600`},
		"number":              {`42`, `"code":-32600`},
		"string":              {`"hello"`, `"code":-32600`},
		"no method":           {`{"jsonrpc":"2.0","id":1}`, `"code":-32600`},
		"other version":       {`{"jsonrpc":"1.0","id":1,"method":"ping"}`, `"code":-32600`},
		"unknown method":      {`{"jsonrpc":"2.0","id":1,"method":"nonsense"}`, `"code":-32601`},
		"unknown tool":        {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nonsense"}}`, `"code":-32602`},
		"arguments a list":    {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"join_conversation","arguments":[1]}}`, `"isError":true`},
		"lone surrogate":      {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_conversation","arguments":{"my_role":"back\ud800end","partner_role":"frontend"}}}`, "back\ufffdend"},
		"null id":             {`{"jsonrpc":"2.0","id":null,"method":"ping"}`, `"code":-32600`},
		"deep nesting":        {strings.Repeat(`[`, 100_000), `"error"`},
		"10 MB line":          {`{"jsonrpc":"2.0","id":7,"method":"` + strings.Repeat("x", 10<<20) + `"}`, `"id":7,`},
		"NUL in a string":     {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_conversation","arguments":{"my_role":"back\u0000end","partner_role":"frontend"}}}`, `"my_role":"backend"`},
		"blank lines and BOM": {"\n \r\n\ufeff" + `{"jsonrpc":"2.0","id":1,"method":"ping"}`, `"id":1,"result"`},
	} {
		t.Run(name, func(t *testing.T) {
			serve := i.command("serve")
			serve.Stdin = strings.NewReader(handshake + c.input + "\n" + `{"jsonrpc":"2.0","id":"after","method":"ping"}` + "\n")
			var stderr bytes.Buffer
			serve.Stderr = &stderr
			out, err := serve.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr.String())
			}
			if !bytes.Contains(out, []byte(c.want)) {
				t.Errorf("no %s in %.2000s", c.want, out)
			}
			if !bytes.Contains(out, []byte(`"id":"after"`)) {
				t.Errorf("the ping behind it was not answered: %.2000s", out)
			}
			for line := range bytes.Lines(out) {
				if !json.Valid(line) {
					t.Errorf("not JSON: %.200s", line)
				}
			}
		})
	}
}

// TestPipedInputIsServed checks `printf … | bridge`, without a command.
func TestPipedInputIsServed(t *testing.T) {
	i := install(t)
	pipe := i.command()
	pipe.Stdin = strings.NewReader(handshake + `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"create_conversation","arguments":{"my_role":"backend","partner_role":"frontend"}}}` + "\n")
	out, err := pipe.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out, []byte(`"id":2,"result"`)) || !bytes.Contains(out, []byte("session_b_token")) {
		t.Errorf("got %s", out)
	}
}

// TestHugeLineTakesNoMemory writes a line of 100 MB and reads the process's peak memory
// from the kernel.
func TestHugeLineTakesNoMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: the peak of a process's memory is read from Linux's /proc")
	}
	if racetest.On {
		t.Skip("SKIPPED under the race detector, which takes memory of its own")
	}
	i := install(t)
	serve := i.command("serve")
	in, out := pipes(t, serve)
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	replies := bufio.NewScanner(out)
	replies.Buffer(nil, 1<<20)
	ask := func(text string) {
		if _, err := io.WriteString(in, text); err != nil {
			t.Fatal(err)
		}
		if !replies.Scan() {
			t.Fatal("no answer")
		}
	}
	ask(handshake)
	idle := peakMemory(t, serve.Process.Pid)
	ask(`{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", 100<<20) + "\"}\n")
	if !strings.Contains(replies.Text(), `"code":-32600`) {
		t.Errorf("answered with %s", replies.Text())
	}
	ask(`{"jsonrpc":"2.0","id":2,"method":"ping"}` + "\n")
	const bound = 64 << 20
	if peak := peakMemory(t, serve.Process.Pid); peak > idle+bound {
		t.Errorf("the process grew from %d to %d MB", idle>>20, peak>>20)
	} else {
		t.Logf("idle %d MB, peak %d MB", idle>>20, peak>>20)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Fatal(err)
	}
}

func pipes(t *testing.T, c *exec.Cmd) (io.WriteCloser, io.Reader) {
	t.Helper()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	return in, out
}

func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(status), "VmHWM:")
	var kb int64
	if _, err := fmt.Sscan(after, &kb); err != nil || !found {
		t.Fatalf("no VmHWM in %s: %v", status, err)
	}
	return kb << 10
}

// TestTerminationEndsLongPoll checks that SIGTERM cleanly ends a process that waits for
// mail, long before the wait would have ended.
func TestTerminationEndsLongPoll(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: Windows has no SIGTERM")
	}
	i := install(t)
	_, b := i.pair(t)
	c := i.mustConnect(t, b)
	answered := make(chan error, 1)
	go func() {
		_, _, err := c.call(context.Background(), "check_messages", map[string]any{"wait_seconds": 50})
		answered <- err
	}()
	awaitBell(t, filepath.Join(filepath.Dir(i.db), "bells"))
	if err := c.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-answered: // with the available messages, or with the end of the connection
		t.Logf("the call ended with %v", err)
	case <-time.After(timeout):
		t.Fatal("the process did not end")
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the connection ended with %v", err)
	}
	if state := c.process.ProcessState; state == nil || !state.Success() {
		t.Errorf("the process ended with %v, want a clean end", state)
	}
}

// awaitBell waits until somebody is waiting for mail.
func awaitBell(t *testing.T, folder string) {
	t.Helper()
	bridgetest.Eventually(t, "somebody to listen", func() bool {
		bells, _ := fs.Glob(os.DirFS(folder), "*/*")
		return len(bells) > 0
	})
}

// TestManyStartTogether starts a hundred processes at the same time on a store that
// does not exist yet. Each must create a conversation.
func TestManyStartTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED under -short: it starts a hundred processes")
	}
	i := install(t)
	const processes = 100
	failures := make(chan error, processes)
	for range processes {
		go func() {
			c, err := i.connect(context.Background(), bridge.Credentials{})
			if err != nil {
				failures <- err
				return
			}
			_, failed, err := c.call(context.Background(), "create_conversation", map[string]any{"my_role": "backend", "partner_role": "frontend"})
			if failed {
				err = fmt.Errorf("refused")
			}
			_ = c.Close()
			failures <- err
		}()
	}
	for range processes {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if out := i.run(t, "audit", "verify"); !strings.HasPrefix(out, "ok: 100 entries") {
		t.Error(out)
	}
}
