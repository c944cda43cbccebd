package cli_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestUI checks that the program prints the address of its page, and that the file that
// it names logs one browser in and is removed when the program ends.
func TestUI(t *testing.T) {
	s := startServe(t)
	s.send(t, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"create_conversation","arguments":{"my_role":"backend","partner_role":"frontend"}}}`)
	s.receive(t, `"join_code"`)

	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	reports := t.TempDir()
	for name, text := range map[string]string{
		"harness-20260102T030405.678Z.json": `{"suite":"sums","started":"2026-01-02T03:04:05Z","server":{"findings":[{"kind":"stray-output","text":"a line on stdout"}]},"cases":[{"id":"sums/add","state":"passed"}]}`,
		"harness-20260102T030405.999Z.json": "not a report",
		"harness-20260102T030405.678Z.xml":  "<a/>",
		"notes.json":                        `{"suite":"not one of ours","started":"2026-01-02T03:04:05Z"}`,
	} {
		if err := os.WriteFile(filepath.Join(reports, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(ctx, "bridge", "ui", "--no-browser", "--reports", reports)
	cmd.Env = s.Env
	var failure strings.Builder
	cmd.Stderr = &failure
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var address, link string
	for link == "" && lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "The page is at "); ok {
			address = text
		}
		if _, text, ok := strings.Cut(lines.Text(), "once: "); ok {
			link = text
		}
	}
	if !strings.HasPrefix(address, "http://127.0.0.1:") || link == "" {
		t.Fatalf("said %q and %q; %s", address, link, failure.String())
	}
	text, err := os.ReadFile(link)
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`name="code" value="([^"]+)"`).FindSubmatch(text)
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	login, err := browser.PostForm(address+"login", url.Values{"code": {string(code[1])}})
	if err != nil {
		t.Fatal(err)
	}
	_ = login.Body.Close()
	page, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = page.Body.Close()
	if page.StatusCode != http.StatusOK {
		t.Errorf("the page is answered with %s", page.Status)
	}
	for path, want := range map[string]string{"runs": "sums", "runs/report?name=harness-20260102T030405.678Z.json": "stray-output: a line on stdout"} {
		runs, err := browser.Get(address + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(runs.Body)
		_ = runs.Body.Close()
		if err != nil || !strings.Contains(string(text), want) || strings.Contains(string(text), "not one of ours") {
			t.Errorf("%s: %s, %v: %s", path, runs.Status, err, text)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v: %s", err, failure.String())
	}
	if _, err := os.Stat(link); err == nil {
		t.Error("the file is still there")
	}
}
