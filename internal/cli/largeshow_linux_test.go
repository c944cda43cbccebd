package cli_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"example.org/bridge/internal/racetest"
)

// TestLargeConversationIsStreamed checks that showing or exporting a conversation never
// needs memory for all of it.
func TestLargeConversationIsStreamed(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED with -short: it stores 60 MB")
	}
	if racetest.On {
		t.Skip("SKIPPED under the race detector, which takes memory of its own")
	}
	i := install(t)
	const messages, bound = 1_200, 120 << 20 // printing the whole document at once took 380 MB at 78 MB
	text := strings.Repeat("all is well here ", 2_900)
	program, err := exec.LookPath("seed")
	if err != nil {
		t.Fatal(err)
	}
	seed := exec.Command(program, i.db)
	seed.Env = i.env
	seed.Stdin = strings.NewReader(fmt.Sprintf("{\"create\":\"x\",\"roles\":[\"backend\",\"frontend\"]}\n{\"send\":\"x\",\"session\":\"a\",\"text\":%q,\"times\":%d}\n", text, messages))
	out, err := seed.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, id, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	for _, arguments := range [][]string{
		{"show", id, "--json"},
		{"show", id},
		{"export", id},
		{"export", id, "--format", "html"},
		{"export", id, "--format", "jsonl"},
	} {
		t.Run(strings.Join(append(arguments[:1:1], arguments[2:]...), " "), func(t *testing.T) {
			c := i.command(arguments...)
			read, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			shown := count(t, read, "all is well here all is well here all", arguments[len(arguments)-1] == "--json")
			if err := c.Wait(); err != nil {
				t.Fatal(err)
			}
			if shown < messages {
				t.Errorf("%d lines of messages, want at least %d", shown, messages)
			}
			peak := c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
			t.Logf("peak %d MB", peak>>20)
			if peak > bound {
				t.Errorf("the process took %d MB", peak>>20)
			}
		})
	}
}

// count returns how many lines contain a text. It needs little memory itself, because
// the memory of a process that starts another is counted in that one's peak. If
// document is set, the output must be valid JSON.
func count(t *testing.T, r io.Reader, text string, document bool) (lines int) {
	t.Helper()
	parsed, done := io.Pipe()
	failed := make(chan error, 1)
	if document {
		r = io.TeeReader(r, done)
		go func() {
			err := readTokens(json.NewDecoder(parsed))
			failed <- err
			_ = parsed.CloseWithError(err) // the rest is not read
		}()
	}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if strings.Contains(scanner.Text(), text) {
			lines++
		}
	}
	if err := errors.Join(scanner.Err(), done.Close()); err != nil {
		t.Fatal(err)
	}
	if document {
		if err := <-failed; err != nil {
			t.Errorf("not a JSON document: %v", err)
		}
	}
	return lines
}

func readTokens(d *json.Decoder) error {
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
