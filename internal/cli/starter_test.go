package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"example.org/bridge/internal/cli"
)

// starterMain is the program starter: a client that starts "bridge serve" on its own
// streams and does nothing else.
func starterMain() int {
	server := exec.Command("bridge", append([]string{"serve"}, os.Args[1:]...)...)
	server.Stdin, server.Stdout, server.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := server.Run(); err != nil {
		return fatal(err)
	}
	return 0
}

const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}` + "\n"

// TestServeEndsWithItsClient checks that a server ends when its client is killed, even
// if another process holds the other end of the server's input.
func TestServeEndsWithItsClient(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a program of these tests is a link, and Windows starts it by another process")
	}
	client := exec.Command("starter")
	client.Env = install(t).env
	client.Env = append(client.Env, "PATH="+os.Getenv("PATH"))
	in, out := starterPipes(t, client)
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	_ = client.Stdout.(*os.File).Close() // so that only the server holds its end
	_, _ = io.WriteString(in, hello)
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "serverInfo") {
		t.Fatalf("%q, %v", line, err)
	}
	_ = client.Process.Kill()
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 { // end of the server's output
		t.Errorf("%q, %v", rest, err)
	}
	_ = client.Wait() // it was killed
	_ = in.Close()
}

// starterPipes gives a command standard streams whose other ends the test holds.
func starterPipes(t *testing.T, cmd *exec.Cmd) (in, out *os.File) {
	t.Helper()
	theirs, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, their, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout = theirs, their
	t.Cleanup(func() { _, _ = in.Close(), out.Close() }) // the test may have closed them
	return in, out
}

// TestUnreadLog checks that a log that nobody reads does not hold up calls.
func TestUnreadLog(t *testing.T) {
	unread, log, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unread.Close() }()
	server := install(t).command("serve", "--log-level", "debug")
	server.Stderr = log
	in, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	_ = log.Close() // the server has its own copies
	const calls = 1500
	go func() {
		_, _ = io.WriteString(in, hello)
		for i := range calls {
			_, _ = fmt.Fprintf(in, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"check_messages","arguments":{}}}`+"\n", i+2)
		}
		_ = in.Close()
	}()
	answers := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		answers++
	}
	if err := server.Wait(); err != nil || answers != calls+1 {
		t.Errorf("%d answers, %v", answers, err)
	}
}

// TestLossyWriter checks that lines are kept while they are read, and dropped and
// counted while they are not.
func TestLossyWriter(t *testing.T) {
	out, in := io.Pipe()
	w := cli.NewLossyWriter(in)
	for i := range 3000 {
		if n, err := fmt.Fprintf(w, "line %d\n", i); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	read := make(chan int)
	go func() {
		n := 0
		for lines := bufio.NewScanner(out); lines.Scan() && n < 1000; {
			n++
		}
		_, _ = io.Copy(io.Discard, out)
		read <- n
	}()
	w.Close()
	_ = in.Close()
	if n := <-read; n < 1000 {
		t.Errorf("%d lines", n)
	}
}
