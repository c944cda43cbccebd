package cli_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// suiteFor writes a suite for the faulty test server, with more appended.
func (i *installation) suiteFor(t *testing.T, more string) string {
	t.Helper()
	faulty, err := exec.LookPath("faulty")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("server:\n  command: %q\n  args: [\"--faults=${FAULTS:-}\"]\n", faulty) +
		"test_suites:\n  - name: sums\n    test_cases:\n      - {name: add, tool: add, input: {a: 1, b: 2}, expected: {json: [{path: $.sum, equals: 3}]}}\n" + more
	path := filepath.Join(i.dir, "suite.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// takeMail runs a mail server that sends each complete mail to the channel.
func takeMail(t *testing.T) (address string, got chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	got = make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			got <- takeOne(conn)
		}
	}()
	return l.Addr().String(), got
}

// takeOne handles one SMTP session (RFC 5321) and returns what the client sent.
func takeOne(conn net.Conn) string {
	defer func() { _ = conn.Close() }()
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 ready")
	var all strings.Builder
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		line := lines.Text()
		all.WriteString(line + "\n")
		switch line {
		case "DATA":
			say("354 go on")
			for lines.Scan() && lines.Text() != "." {
				all.WriteString(lines.Text() + "\n")
			}
			say("250 kept")
		case "QUIT":
			say("221 bye")
		default:
			say("250 ok")
		}
	}
	return all.String()
}

// TestHarnessTells checks that mail and webhook report runs with findings, and no
// others. If the webhook cannot be reached, that is printed without its address.
func TestHarnessTells(t *testing.T) {
	t.Parallel()
	i := install(t)
	posts := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posts <- string(body)
	}))
	defer hook.Close()
	address, mail := takeMail(t)
	path := i.suiteFor(t, fmt.Sprintf("reporting:\n  distribution:\n    email: {enabled: true, smtp_server: %q, recipients: [team@example.org]}\n"+
		"    slack: {enabled: true, webhook_url: %q, channel: \"#reports\"}\n", address, hook.URL+"/secret-part"))
	i.run(t, "harness", "run", path)
	failing := func() string {
		t.Helper()
		c := i.command("harness", "run", path)
		c.Env = append(c.Env, "FAULTS=stray-line")
		out, err := c.CombinedOutput()
		if err == nil || c.ProcessState.ExitCode() != 13 {
			t.Errorf("%v\n%s", err, out)
		}
		return string(out)
	}
	failing()
	if got := <-mail; !strings.Contains(got, "MAIL FROM:<team@example.org>") || !strings.Contains(got, "Subject: bridge harness: 1 finding in suite.yaml") || !strings.Contains(got, "stray-output: ") {
		t.Errorf("the mail is %s", got)
	}
	if len(posts) != 1 {
		t.Fatalf("%d posts", len(posts))
	}
	var post struct{ Text, Channel string }
	if err := json.Unmarshal([]byte(<-posts), &post); err != nil || post.Channel != "#reports" || !strings.Contains(post.Text, "stray-output: ") {
		t.Errorf("posted %+v, %v", post, err)
	}
	hook.Close()
	if out := failing(); !strings.Contains(out, "nothing was posted: cannot reach the webhook") || strings.Contains(out, "secret-part") {
		t.Errorf("%s", out)
	}
}

// harnessService is `bridge harness serve` and its output on standard error.
type harnessService struct {
	cmd             *exec.Cmd
	lines           *bufio.Scanner
	metrics, health string
	key             string
}

func (i *installation) serveHarness(t *testing.T) *harnessService {
	t.Helper()
	s := &harnessService{key: rand.Text()}
	hash := sha256.Sum256([]byte(s.key))
	roles := "roles: [{name: all, permissions: [\"test:*\", \"report:*\"]}]\nusers: [{username: ci, role: all, api_key_hash: \"sha256:" + hex.EncodeToString(hash[:]) + "\"}]\n"
	if err := os.WriteFile(filepath.Join(i.dir, "rbac.yaml"), []byte(roles), 0o600); err != nil {
		t.Fatal(err)
	}
	path := i.suiteFor(t, "reporting: {output_dir: reports}\nmonitoring: {interval_seconds: 3600, metrics_port: 0, health_check_port: 0}\n"+
		"security:\n  enable_audit_logging: true\n  rbac: {enabled: true, config_file: rbac.yaml}\n")
	s.cmd = i.command("harness", "serve", path)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	s.lines = bufio.NewScanner(stderr)
	said := s.await(t, "harness service")
	s.metrics, s.health = regexp.MustCompile(`metrics=(\S+)`).FindStringSubmatch(said)[1], regexp.MustCompile(`health=(\S+)`).FindStringSubmatch(said)[1]
	return s
}

// await reads until a line contains a text.
func (s *harnessService) await(t *testing.T, text string) string {
	t.Helper()
	var all strings.Builder
	for s.lines.Scan() {
		if strings.Contains(s.lines.Text(), text) {
			return s.lines.Text()
		}
		all.WriteString(s.lines.Text() + "\n")
	}
	t.Fatalf("the service never says %q: %s", text, all.String())
	return ""
}

// ask sends a request with the key and returns the answer.
func (s *harnessService) ask(t *testing.T, method, address string, want int) string {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != want {
		t.Errorf("%s %s: %d %s", method, address, answer.StatusCode, body)
	}
	return string(body)
}

// TestHarnessServe checks that the service runs the suite, also on request; serves
// figures and reports; records its actions in the audit log; and ends when it is told
// to.
func TestHarnessServe(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("MISSING: a signal that tells a process to end")
	}
	i := install(t)
	s := i.serveHarness(t)
	s.await(t, "by=schedule")
	s.ask(t, "POST", s.health+"/api/v1/run", http.StatusAccepted)
	s.await(t, "by=ci")
	s.ask(t, "POST", s.health+"/api/v1/baselines", http.StatusMethodNotAllowed)
	text := s.ask(t, "GET", s.metrics+"/metrics", http.StatusOK)
	for _, want := range []string{`mcp_test_runs_total{result="clean"} `, "mcp_test_success_rate 1\n", `mcp_test_response_time_bucket{le="+Inf"} `} {
		if !strings.Contains(text, want) {
			t.Errorf("the figures lack %q:\n%s", want, text)
		}
	}
	var list struct{ Reports []string }
	if err := json.Unmarshal([]byte(s.ask(t, "GET", s.health+"/api/v1/reports", http.StatusOK)), &list); err != nil || len(list.Reports) < 3 {
		t.Fatalf("reports %v, %v", list.Reports, err)
	}
	s.ask(t, "GET", s.health+"/api/v1/reports/"+list.Reports[0], http.StatusOK)
	s.key = "a guess"
	s.ask(t, "GET", s.health+"/api/v1/reports/"+list.Reports[0], http.StatusUnauthorized)
	s.ask(t, "GET", s.health+"/health", http.StatusOK)
	if out := i.run(t, "harness", "health-check", "--service", "http://"+s.health); !strings.Contains(out, "ready (200)") {
		t.Errorf("%s", out)
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	s.await(t, "ended by a signal")
	if err := s.cmd.Wait(); err != nil {
		t.Error(err)
	}
	log := i.run(t, "audit", "--format", "jsonl")
	for _, want := range []string{"harness_serve_start", "harness_serve_run", "harness_serve_view", "harness_serve_refused", "harness_serve_stop", `"by":"ci"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log lacks %s:\n%s", want, log)
		}
	}
	if out := i.run(t, "audit", "verify"); !strings.HasPrefix(out, "ok") {
		t.Error(out)
	}
}

// TestHarnessServeEnds checks that a service whose server does not answer still ends
// soon when told to, and leaves no process behind.
func TestHarnessServeEnds(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("MISSING: /proc, by which processes are found")
	}
	i := install(t, "FAULTS=silent-call")
	s := i.serveHarness(t)
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	s.await(t, "ended by a signal")
	if err := s.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("it took %s to end", took)
	}
	left, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range left {
		if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte("HOME="+i.dir+"\x00")) {
			t.Errorf("%s is left", path)
		}
	}
}
